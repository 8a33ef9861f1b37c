"""Where a training is started again: what is done twice or lost, and whether the loss goes on as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._curves import by, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),  # the loss that is compared
    "line": pl.Int64(),  # of the first value after it
    "lines": pl.List(pl.Int64()),  # the last value before it, and that one
    "step_before": pl.Int64(),  # the highest that was reached
    "step_after": pl.Int64(),  # where it goes on
    "restored": pl.Boolean(),  # a checkpoint was loaded in between
    "loss_before": pl.Float64(),  # median of the last values before it
    "spread": pl.Float64(),  # their standard deviation
    "loss_after": pl.Float64(),  # median of the first values after it
    "values_before": pl.Int64(),
    "values_after": pl.Int64(),
}
_LOSSES: Final = ("loss", "lm_loss")
_RESTORES: Final = frozenset({"resumed", "checkpoint_loaded"})
_STARTS: Final = frozenset({"run_started", "training_started", "workers_restarted", "container_restarted"})
_BEFORE: Final = 20
_AFTER: Final = 5
_COLUMNS: Final = ("line", "record", "rank", "step", "step_unit", "value", "meaning", "split", "source_name")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per loss and place where a start is announced, or a checkpoint loaded, between two values of it."""
    events = frames["events"].filter(pl.col("kind").is_in(_RESTORES | _STARTS)).select("line", "kind")
    starts = frames["attempts"]["line"].to_list()[1:]
    marks = [*events.iter_rows(), *((line, "attempt") for line in starts)]
    if not marks:
        return pl.DataFrame(schema=COLUMNS)
    held = by_name(frames["metrics"])
    wanted = (
        (pl.col("meaning") == "value")
        & pl.col("step").is_not_null()
        & (pl.col("step_unit") != "batch_of_epoch")
        & pl.col("value").is_finite()
        & (pl.col("split").is_null() | (pl.col("split") == "train"))
    )
    rows = []
    for name in _LOSSES:
        for _, of_source in by(keep(held.of([name], _COLUMNS), wanted), "source_name"):
            for _, series in by(of_source, "rank"):
                ordered = series if series["line"].is_sorted() else series.sort("line", "record")
                rows += [(name, *row) for row in _between(ordered, sorted(marks))]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _between(series: pl.DataFrame, marks: list[tuple[int, str]]) -> list[tuple[object, ...]]:
    places: dict[int, set[str]] = {}
    for place, (_, kind) in zip(
        series["line"].search_sorted(pl.Series([line for line, _ in marks])), marks, strict=True
    ):
        if 0 < place < series.height:
            places.setdefault(place, set()).add(kind)
    rows: list[tuple[object, ...]] = []
    begin = 0
    for place, kinds in places.items():
        before, after = series.slice(begin, place - begin).tail(_BEFORE), series.slice(place, _AFTER)
        reached = series.slice(begin, place - begin)["step"].max()
        ends = [before["line"][-1], after["line"][0]]
        losses = (before["value"].median(), before["value"].std(), after["value"].median())
        counts = (before.height, after.height)
        rows.append((ends[1], ends, reached, after["step"][0], bool(kinds & _RESTORES), *losses, *counts))
        begin = place
    return rows
