"""Reports over several lines, of which any may name the step: a dict that is printed key by key, a result as YAML.

Neither of the lines `{'loss': 2.5,` and `'step': 50}` says that it belongs to the other. A report ends at a blank line,
or where a name of it comes again; one that counts further than the one before it gives its step to all of its lines.
So does one alone that measures what nobody sets, and any whose dialect says that its lines are such reports.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem.parsing.words import only_metric

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from postmortem.parsing.names import Names

#: Lines that are no report: one or two values beside a counter may be anything.
_FEWEST_LINES: Final = 3
#: A configuration that is printed twice counts no further.
_FEWEST_REPORTS: Final = 2
#: Rows of a report, at most; there is none so long.
_LONGEST: Final = 500


class _Line(NamedTuple):
    """A row of a report."""

    line: int
    record: int
    name: str
    number: float | None  # of a setting
    measured: bool
    told: bool  # by a dialect, that it is of a report


class _Counted(NamedTuple):
    """The rows of a report, and what it counts: the name of that, `step` or `epoch`, and the count."""

    rows: Sequence[_Line]
    name: str
    kind: str
    at: int


def placed(
    settings: pl.DataFrame, metrics: pl.DataFrame, blank: pl.Series, names: Names, reporting: Collection[str] = ()
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`settings` without the counters of reports, and `metrics`; each with the step that its report names.

    `blank` holds the numbers of the blank lines, in order; `reporting` the dialects whose lines are those of reports.
    """
    if not _counters(settings, names):
        return settings, metrics
    found = _reports(settings, metrics, blank, reporting)
    reports = [report for report in found if len(report) >= _FEWEST_LINES or any(row.told for row in report)]
    counted = [one for report in reports for one in [_counted(report, names)] if one]
    kept = [one for name in {one.name for one in counted} for one in _kept(counted, name, names)]
    if not kept:
        return settings, metrics
    places = pl.DataFrame(
        [
            (row.line, row.record, *((found.at, None) if found.kind == "step" else (None, float(found.at))))
            for found in kept
            for row in found.rows
        ],
        schema={"line": pl.Int64(), "record": pl.Int64(), "at_step": pl.Int64(), "at_epoch": pl.Float64()},
        orient="row",
    ).unique(["line", "record"])
    told = {found.name for found in kept}
    settings = _with(settings, places)
    counter = pl.col("source_name").is_in(told) & (pl.col("step").is_not_null() | pl.col("epoch").is_not_null())
    return settings.filter(~counter), _with(metrics, places)


def _counters(settings: pl.DataFrame, names: Names) -> list[str]:
    """The names of settings that count."""
    found = settings.filter(_UNPLACED)["source_name"].unique()
    return [name for name in found if names.counter(name) in ("step", "epoch")]


_UNPLACED: Final = pl.col("step").is_null() & pl.col("epoch").is_null()


def _reports(
    settings: pl.DataFrame, metrics: pl.DataFrame, blank: pl.Series, reporting: Collection[str]
) -> Iterator[list[_Line]]:
    told = pl.col("dialect").is_in(list(reporting)).fill_null(value=False).alias("told")
    place = ("line", "record", "source_name")
    stated = settings.filter(_UNPLACED).select(*place, told, number="number", measured=pl.lit(value=False))
    # any other dialect knows where its values belong
    measured = metrics.filter(_UNPLACED, pl.col("dialect").is_null() | told)
    measured = measured.select(*place, told, number=pl.lit(None, pl.Float64()), measured=pl.lit(value=True))
    rows = pl.concat([stated, measured]).sort("line", "record", maintain_order=True)
    rows = rows.with_columns(paragraph=blank.search_sorted(rows["line"]))
    report: list[_Line] = []
    seen: set[str] = set()
    last = None
    for line, record, name, is_told, number, measures, paragraph in rows.iter_rows():
        if paragraph != last or name in seen or len(report) > _LONGEST:
            yield report
            report, seen = [], set()
        report.append(_Line(line, record, name, number, measures, is_told))
        seen.add(name)
        last = paragraph
    yield report


def _counted(report: Sequence[_Line], names: Names) -> _Counted | None:
    """What a report counts, where one line of it counts a step, or else an epoch."""
    whole = [row for row in report if row.number is not None and row.number.is_integer() and row.number >= 0]
    for kind in ("step", "epoch"):
        found = [row for row in whole if names.counter(row.name) == kind]
        if len(found) == 1 and found[0].number is not None:
            return _Counted(report, found[0].name, kind, int(found[0].number))
    return None


def _kept(counted: Sequence[_Counted], name: str, names: Names) -> list[_Counted]:
    """The reports that count under one name, where each counts further than the one before; one if it measures.

    A dialect's count anyhow: a second training in the log begins again.
    """
    found = [each for each in counted if each.name == name]
    if any(row.told and row.name == name for each in found for row in each.rows):
        return found
    rises = all(one.at < other.at for one, other in pairwise(found))
    enough = len(found) >= _FEWEST_REPORTS or any(_measures(row, names) for each in found for row in each.rows)
    return found if rises and enough else []


def _measures(row: _Line, names: Names) -> bool:
    """True for a metric that is known and no setting's name too."""
    return row.measured and only_metric(row.name, names)


def _with(frame: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """The rows, those of reports with the step or epoch of theirs."""
    joined = frame.join(places, on=["line", "record"], how="left", maintain_order="left")
    stepped = _UNPLACED & pl.col("at_step").is_not_null()
    return joined.with_columns(
        step=pl.when(stepped).then("at_step").otherwise("step"),
        step_unit=pl.when(stepped).then(pl.lit("unknown")).otherwise("step_unit"),
        epoch=pl.when(_UNPLACED).then("at_epoch").otherwise("epoch"),
    ).drop("at_step", "at_epoch")
