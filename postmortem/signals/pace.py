"""Where a run becomes slower or faster for good, judged against its own steps and no fixed limit.

The logarithms of the step times are cut in two where that explains most of their spread. A change is a change only
if it is sustained: `overlap` says how far the two parts still reach into each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem import clock
from postmortem.metrics import by_name
from postmortem.signals._curves import keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),  # step_time, or throughput
    "line": pl.Int64(),  # of the first value after the change
    "last_line": pl.Int64(),
    "step": pl.Int64(),
    "attempt": pl.Int64(),
    "before": pl.Float64(),  # median, in the metric's own unit
    "after": pl.Float64(),
    "slower": pl.Float64(),  # how many times longer a step takes after it
    "values_before": pl.Int64(),  # that were compared: of a long series every second or tenth
    "values_after": pl.Int64(),
    "overlap": pl.Float64(),  # share of the later values within the range of nine tenths of the earlier ones
}
#: The first steps compile, fill caches and open files.
_WARM_UP: Final = 3
_FEWEST: Final = 20
_ENOUGH: Final = 20_000
#: Each part must be long enough to be a state of the run and no pause.
_SHORTEST: Final = 0.1
#: Between two lines, in the median.
_WHOLE_SECONDS: Final = 3
_COLUMNS: Final = ("name", "split", "rank", "source_name", "line", "record", "step", "value", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The largest change of each series of step times and of throughput, attempt by attempt."""
    told = pl.col("value").is_finite() & (pl.col("value") > 0) & (pl.col("meaning") == "value")
    timed = keep(by_name(frames["metrics"]).of(["step_time", "throughput"], _COLUMNS), told)
    if timed.is_empty():
        timed = _by_the_clock(frames)
    attempts = frames["attempts"]
    rows = []
    for series in timed.partition_by("name", "split", "rank", "source_name", maintain_order=True):
        ordered = series if series["line"].is_sorted() else series.sort("line", "record")
        lines = ordered["line"].to_numpy()
        begins = lines.searchsorted(attempts["line"].to_numpy()) + _WARM_UP
        ends = lines.searchsorted(attempts["last_line"].to_numpy(), "right")
        for attempt, begin, end in zip(attempts["attempt"], begins.tolist(), ends.tolist(), strict=True):
            later = ordered.slice(begin, max(0, end - begin))
            if later.height >= _FEWEST:
                name = str(series["name"][0])
                rows.append((name, *_change(later, attempt, name)))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _by_the_clock(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The seconds a step took between two lines that tell their step and their time, as a series of step times."""
    told = frames["progress"].lazy().with_columns(at=clock.seconds("ts")).drop_nulls(["step", "at"]).sort("line")
    steps, seconds = (pl.col(name).diff().over("rank") for name in ("step", "at"))
    return (
        told.with_columns(seconds=seconds, value=seconds / steps, steps=steps)
        .filter(pl.col("steps") > 0, pl.col("seconds") > 0)
        # stamps of whole seconds say nothing of shorter pauses
        .filter(pl.col("seconds").median() >= _WHOLE_SECONDS)
        .select(
            pl.lit("step_time").alias("name"),
            pl.lit(None, pl.String()).alias("split"),
            "rank",
            pl.lit("clock").alias("source_name"),
            "line",
            pl.lit(0, pl.Int64()).alias("record"),
            "step",
            "value",
        )
        .collect()
    )


def _change(series: pl.DataFrame, attempt: int, name: str) -> tuple[object, ...]:
    # a long series is told as well by every second or tenth of its values
    series = series.gather_every(max(1, series.height // _ENOUGH))
    values = series["value"].to_numpy()
    logs = np.log(values)
    count = len(logs)
    shortest = max(5, int(count * _SHORTEST))
    sizes = np.arange(1, count)
    sums = np.cumsum(logs)[:-1]
    # between-group sum of squares: the larger, the more of the spread the cut explains
    gain = (sums - sizes * logs.mean()) ** 2 * (1 / sizes + 1 / (count - sizes))
    gain[: shortest - 1] = gain[count - shortest :] = -1.0
    cut = int(gain.argmax()) + 1
    before, after = values[:cut], values[cut:]
    slower = float(np.median(after) / np.median(before))
    low, high = np.quantile(before, [0.05, 0.95])
    overlap = float(np.mean((after >= low) & (after <= high)))
    place = (series["line"][cut], series["line"][-1], series["step"][cut], attempt)
    medians = (float(np.median(before)), float(np.median(after)))
    return (*place, *medians, slower if name == "step_time" else 1 / slower, cut, count - cut, overlap)
