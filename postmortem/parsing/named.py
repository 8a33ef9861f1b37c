"""What became of each name that a file prints: its rows in the five frames, counted by how they were understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import polars as pl

from postmortem import frames
from postmortem.parsing import names
from postmortem.parsing.names import normalise
from postmortem.parsing.pattern import Pattern
from postmortem.parsing.understanding import Happened, Name, Stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from postmortem.parsing.dialect import Dialect
    from postmortem.parsing.dialects import Dialects
    from postmortem.parsing.understanding import Knower

_STATISTICS: Final = ("min_text", "max_text", "mean", "std", "rms", "norm")
#: Columns of a job that no log prints.
_NOT_PRINTED: Final = frozenset({"origin"})

_Row = TypeVar("_Row", Name, Stated)


class Tables(NamedTuple):
    """Names, settings and events, the commonest first."""

    names: list[Name]
    settings: list[Stated]
    events: list[Happened]


def tables(made: Mapping[str, pl.DataFrame], file: str, dialects: Dialects) -> Tables:
    """The names in those rows of the five frames that are of `file`."""
    own = {name: frame.filter(file=file).sort("line", "record", maintain_order=True) for name, frame in made.items()}
    knowers = _Knowers(dialects.all)
    found = [*_metrics(own["metrics"], knowers), *_tensors(own["tensors"]), *_jobs(own["jobs"])]
    return Tables(
        sorted(found, key=lambda row: (frames.FRAMES.index(row.frame), *_commonest(row))),
        sorted(_settings(own["settings"], knowers), key=_commonest),
        sorted(_events(own["events"]), key=lambda row: (-row.events, row.line, row.kind)),
    )


class _Knowers:
    """Who knows a name."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._dialects = {one.name: one for one in dialects}
        self._names = names.load()
        self._fields: dict[str, frozenset[str]] = {}

    def of_metric(self, source: str, dialect: str | None) -> Knower | None:
        spec = self._dialects.get(dialect or "")
        if spec and normalise(source) in spec.names:
            return "dialect"
        if self._names.metric(source).known:
            return "names"
        return "dialect" if spec and source in self._of(spec) else None

    def of_setting(self, source: str, dialect: str | None) -> Knower | None:
        if self._names.setting(source):
            return "names"
        spec = self._dialects.get(dialect or "")
        return "dialect" if spec and source in self._of(spec) else None

    def _of(self, spec: Dialect) -> frozenset[str]:
        """The fields that a dialect's patterns name."""
        if spec.name not in self._fields:
            self._fields[spec.name] = frozenset(name for line in spec.lines for name in Pattern(line.pattern).types)
        return self._fields[spec.name]


def _metrics(frame: pl.DataFrame, knowers: _Knowers) -> Iterator[Name]:
    for row in _grouped(frame, ("source_name", "name", "split", "meaning", "step_unit", "dialect"), "text"):
        yield Name(frame="metrics", known_by=knowers.of_metric(row["source_name"], row["dialect"]), **row)


def _tensors(frame: pl.DataFrame) -> Iterator[Name]:
    statistics = pl.concat_str(
        [pl.format("{}={}", pl.lit(name.removesuffix("_text")), pl.col(name)) for name in _STATISTICS],
        separator=", ",
        ignore_nulls=True,
    )
    meaning = pl.concat_str("kind", "op", separator=": ", ignore_nulls=True)
    frame = frame.with_columns(statistics.alias("statistics"), meaning.alias("meaning"))
    for row in _grouped(frame, ("name", "meaning", "step_unit", "dialect"), "statistics"):
        yield Name(frame="tensors", source_name=row["name"], split=None, known_by=None, **row)


def _jobs(frame: pl.DataFrame) -> Iterator[Name]:
    for column in ("job", *frames.OWN["jobs"]):
        if column in _NOT_PRINTED:
            continue
        held = frame.filter(pl.col(column).is_not_null()).with_columns(pl.col(column).cast(pl.String))
        for row in _grouped(held, ("dialect",), column):
            yield Name(
                frame="jobs",
                source_name=column,
                name=column,
                split=None,
                meaning=None,
                step_unit=None,
                known_by="dialect",
                **row,
            )


def _settings(frame: pl.DataFrame, knowers: _Knowers) -> Iterator[Stated]:
    for row in _grouped(frame, ("source_name", "key", "origin", "dialect"), "value"):
        yield Stated(known_by=knowers.of_setting(row["source_name"], row["dialect"]), **row)


def _events(frame: pl.DataFrame) -> Iterator[Happened]:
    for row in _grouped(frame, ("kind", "severity", "dialect"), "message"):
        yield Happened(events=row.pop("values"), **{name: row[name] for name in row if name != "last"})


def _grouped(frame: pl.DataFrame, by: Sequence[str], value: str) -> Iterator[dict[str, Any]]:
    """Rows that agree in the columns `by`: how many, the line of the first, and the first and last `value`."""
    groups = frame.group_by(by, maintain_order=True)
    return groups.agg(
        pl.len().alias("values"),
        pl.col("line").first(),
        pl.col(value).first().alias("first"),
        pl.col(value).last().alias("last"),
    ).iter_rows(named=True)


def _commonest(row: _Row) -> tuple[int, int, str]:
    return -row.values, row.line, row.source_name
