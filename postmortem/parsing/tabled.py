"""The rows of tables, which have their names in a heading above them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.parsing.counters import LARGEST
from postmortem.parsing.places import number_of, placed_by
from postmortem.parsing.tables import columns_of, counter, counters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.cells import Cell
    from postmortem.parsing.piece import Single
    from postmortem.parsing.rows import Place, Rows
    from postmortem.parsing.template import Span, Tabled

#: What a column that counts is a number of.
_UNITS: Final = {"step": "unknown", "batch": "batch_of_epoch"}


class _TableRow(NamedTuple):
    """Cells, each with its column, and what may stand before them: what the row is called, or its number."""

    cells: Sequence[Tabled]
    columns: Sequence[Cell]
    label: Span | None
    numbered: Span | None


@dataclass(slots=True)
class TableRows:
    """Fills what stands below the last heading."""

    rows: Rows
    columns: tuple[Cell, ...] = ()  # of that heading

    def head(self, columns: tuple[Cell, ...]) -> bool:
        """Take a heading; False where it is none: a counter alone in its record may stand between a table's rows."""
        heads = bool(columns) and (len(columns) > 1 or len(self.columns) <= 1)
        self.columns = columns if heads else self.columns
        return heads

    def may_hold(self, cells: Sequence[Tabled]) -> bool:
        """A number alone is no row of a table, and no row stands below a counter."""
        return bool(cells) and (len(cells) == 1) == (len(self.columns) == 1)

    def fill(self, single: Single, place: Place) -> bool:
        """Fill what is a row if a heading stands above it; False where none does."""
        row = self._row(single)
        if row is None:
            return False
        named = [(column.text, cell.spans) for column, cell in zip(row.columns, row.cells, strict=True) if cell.spans]
        line = single.template.tabled_by
        if line:
            place = placed_by(place, single.template.places[-1], single.text)
        counting = counters((name for name, _ in named), self.rows.names)
        if row.numbered and not counting:
            place.step, place.step_unit = int(row.numbered.text(single.text)), "unknown"
        for name, (span, *_) in named:
            kind = counting.get(name)
            if kind == "epoch":
                place.epoch = number_of(span, single.text)
            elif kind is not None:
                at = float(span.read(single.text))
                # a row may have none: neither nan nor inf is below
                place.step, place.step_unit = int(at) if abs(at) < LARGEST else None, _UNITS[kind]
        of_row = self._of(row.label.text(single.text)) if row.label else {}
        for name, spans in named:
            for part, span in enumerate(() if name in counting else spans):
                of = of_row | ({"scope": f"part_{part}"} if len(spans) > 1 else {})
                value, text = float(span.read(single.text)), span.text(single.text)
                of_line = {"dialect": line.dialect, "fixed": line.spec.set | of} if line else {"fixed": of}
                self.rows.metric(place, name, value, text, **of_line)
        return True

    def _row(self, single: Single) -> _TableRow | None:
        """The cells with a column for each; None where a cell has none, or a word stands below what counts."""
        cells = self._cells(single)
        label, index, columns = cells[0].label, None, self._columns_of(cells)
        if columns is None:
            if self._begins_with_index(cells, single):
                index, cells = cells[0].spans[0], cells[1:]
            elif not self._counts():
                label, cells = label or next(iter(cells[0].spans), None), cells[1:]  # names of rows stand below none
            columns = self._columns_of(cells)
        if columns is None or any(
            cell.label and counter(column.text, self.rows.names) for column, cell in zip(columns, cells, strict=True)
        ):
            return None
        return _TableRow(cells, columns, label, index)

    def _counts(self) -> bool:
        """Whether a column counts."""
        return any(counter(column.text, self.rows.names) for column in self.columns)

    def _begins_with_index(self, cells: Sequence[Tabled], single: Single) -> bool:
        """Whether a row begins with its number in a frame, as pandas prints it: left of all columns, below no name.

        Where no column counts, a row with a loss is of a course; any other may be of a class that has that number.
        """
        first = cells[0]
        if len(first.spans) != 1 or not self.columns or first.at[1] > self.columns[0].at[0]:
            return False
        whole = first.spans[0].text(single.text).isdigit()
        return whole and (self._counts() or any(self._is_loss(column.text) for column in self.columns))

    def _is_loss(self, name: str) -> bool:
        return self.rows.names.metric(name).name == "loss"

    def _cells(self, single: Single) -> Sequence[Tabled]:
        """The cells of a row, less an empty last one where all rows end with a separator and no heading does."""
        cells = single.template.cells
        extra = len(cells) == len(self.columns) + 1 and cells[-1].at[0] == cells[-1].at[1]
        return cells[:-1] if extra else cells

    def _of(self, label: str) -> dict[str, str]:
        """What a row's name says: a split, or else what its numbers are of."""
        split = self.rows.names.splits.get(label.lower())
        return {"split": split} if split else {"scope": label}

    def _columns_of(self, cells: Sequence[Tabled]) -> Sequence[Cell] | None:
        return columns_of(self.columns, [cell.at for cell in cells]) if self.columns else None
