"""Is a value unusual, or within the spread of the values before it?

The 95 % prediction interval for the next of n independent values with mean m and standard deviation s is
m +- t(n-1) * s * sqrt(1 + 1/n). It asks for no model beyond that the batches are alike, which holds for the last
few dozen values and not for a whole run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.objectives import is_loss
from postmortem.signals._curves import by, keep
from postmortem.student import two_sided

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),
    "line": pl.Int64(),
    "step": pl.Int64(),
    "value": pl.Float64(),
    "previous": pl.Float64(),  # the value printed just before
    "before": pl.Int64(),  # how many values before it were taken
    "mean": pl.Float64(),  # of those
    "low": pl.Float64(),
    "high": pl.Float64(),
    "last": pl.Boolean(),  # the last value of this metric
}
#: With fewer values before it, the interval is too wide to say anything; more are no longer like it.
_FEWEST: Final = 5
_WINDOW: Final = 30
_COLUMNS: Final = ("line", "step", "value", "split", "meaning", "scope")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per finite value of a whole loss that has five or more before it. Running means are left out."""
    held = by_name(frames["metrics"])
    found = [pl.DataFrame(schema=COLUMNS)]
    for name in filter(is_loss, held):
        whole = pl.col("value").is_finite() & (pl.col("meaning") == "value") & pl.col("scope").is_null()
        rows = keep(held.of([name], _COLUMNS), whole)
        found += [_judged(name, split, group) for split, group in by(rows, "split") if group.height > _FEWEST]
    return pl.concat(found)


def _judged(name: str, split: str | None, rows: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    judged = rows.select(
        pl.lit(name).alias("metric"),
        pl.lit(split, pl.String).alias("split"),
        "line",
        "step",
        "value",
        value.shift(1).alias("previous"),
        pl.int_range(pl.len()).clip(0, _WINDOW).alias("before"),
        value.rolling_mean(_WINDOW, min_samples=_FEWEST).shift(1).alias("mean"),
        value.rolling_std(_WINDOW, min_samples=_FEWEST).shift(1).alias("spread"),
        (pl.int_range(pl.len()) == pl.len() - 1).alias("last"),
    )[_FEWEST:]
    before = judged["before"].to_numpy()
    reach = np.array([0, 0, *(two_sided(freedom) for freedom in range(1, _WINDOW))])
    half = judged["spread"].to_numpy() * reach[before] * (1 + 1 / before) ** 0.5
    return judged.with_columns(low=pl.col("mean") - half, high=pl.col("mean") + half).select(
        pl.col(name).cast(kind) for name, kind in COLUMNS.items()
    )
