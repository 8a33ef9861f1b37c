"""The metrics of a run by their names: what needs one of them does not look through millions of rows of others."""

from __future__ import annotations

import weakref
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

#: More names than this are sorted by their numbers in another, slower way.
_SHORT: Final = 2**16
#: Columns of a few words, and the words that are put where there is none. As numbers of their words they take a tenth
#: of the memory, and to compare them takes half the time.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"step_unit": (), "dialect": (), "meaning": (), "split": ("train",), "source_name": (), "scope": ()}
)


class ByName:
    """A frame of metrics with the rows of one name together, otherwise in its own order.

    A column is put into that order when it is first asked for; where the frame has it already, nothing is copied.
    """

    def __init__(self, metrics: pl.DataFrame) -> None:
        self._frame = metrics
        self._columns: dict[str, pl.Series] = {}
        self._order: pl.Series | None = None
        #: By name, as they first appear: the first of its rows in this order, and how many there are.
        self.places: dict[str, tuple[int, int]] = {}
        codes = metrics["name"].cast(pl.Categorical).to_physical().to_numpy()
        if not len(codes):
            return
        starts = np.append(0, np.flatnonzero(np.diff(codes)) + 1)
        if len(starts) < _SHORT and len(np.unique(codes[starts])) == len(starts):
            self._place(starts, starts, len(codes))
        else:
            self._sort(codes)

    def _sort(self, codes: NDArray[Any]) -> None:
        # whole numbers of 16 bits are sorted by radix
        if codes.max() >= _SHORT:
            codes = np.unique(codes, return_inverse=True)[1]
        order = np.argsort(codes.astype(np.uint16) if codes.max() < _SHORT else codes, kind="stable")
        counts = np.bincount(codes)
        starts = (np.cumsum(counts) - counts)[counts > 0]
        self._order = pl.Series(order.astype(np.uint32))
        self._place(starts, order[starts], len(codes))

    def _place(self, starts: NDArray[Any], rows: NDArray[Any], height: int) -> None:
        """Note where each name's rows are, given where they start in this order and in the frame's."""
        names = self._frame["name"].gather(rows).to_list()
        ends = np.append(starts[1:], height)
        for which in np.argsort(rows).tolist():
            self.places[names[which]] = int(starts[which]), int(ends[which] - starts[which])

    def __contains__(self, name: str) -> bool:
        """True for a metric that is in this log."""
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        """The names of all metrics, as they first appear."""
        return iter(self.places)

    def of(self, names: Iterable[str], columns: Collection[str]) -> pl.DataFrame:
        """The rows of these metrics, one name after the other, with these columns. Nothing is copied."""
        self._put_in_order([column for column in columns if column not in self._columns])
        whole = pl.DataFrame([self._columns[column] for column in columns])
        found = [whole.slice(*self.places[name]) for name in names if name in self.places]
        return pl.concat(found) if found else whole.clear()

    def _put_in_order(self, columns: list[str]) -> None:
        """All of them at once, which all processors then share."""
        frame = self._frame.select(columns).with_columns(
            _numbered(self._frame[name]) for name in columns if name in _WORDS
        )
        mixed = [name for name in columns if self._order is not None and not _same(self._frame[name])]
        ordered = frame.select(mixed)[self._order] if self._order is not None and mixed else frame
        self._columns |= {name: (ordered if name in mixed else frame)[name] for name in columns}


def _numbered(column: pl.Series) -> pl.Series:
    """The column as numbers of its words."""
    words = column.drop_nulls().unique(maintain_order=True).to_list()
    return column.cast(pl.Enum(list(dict.fromkeys([*words, *_WORDS[column.name]]))))


def _same(column: pl.Series) -> bool:
    """Whether a column has one value everywhere, so that its order is any: often that is file, job or scope."""
    missing = column.null_count()
    return missing == len(column) or (not missing and column[0] == column[-1] and bool((column == column[0]).all()))


def by_name(metrics: pl.DataFrame) -> ByName:
    """The metrics of a frame by their names; made once per frame."""
    if id(metrics) not in _made:
        weakref.finalize(metrics, _made.pop, id(metrics), None)
        _made[id(metrics)] = ByName(metrics)
    return _made[id(metrics)]


#: By the id of a frame that is in use.
_made: Final[dict[int, ByName]] = {}
