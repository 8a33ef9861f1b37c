"""What weight a term has in a total, as far as the steps carry it at which both are printed.

total = weight * term + rest. Least squares gives the weight and its 95 % interval if the rest is constant;
rest >= 0 gives weight <= total / term at every step, whatever the rest does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "term": pl.String(),
    "total": pl.String(),
    "line": pl.Int64(),
    "lines": pl.List(pl.Int64()),
    "pairs": pl.Int64(),
    "weight": pl.Float64(),
    "weight_low": pl.Float64(),
    "weight_high": pl.Float64(),
    "bound": pl.Float64(),  # the weight cannot exceed this while the rest is not negative
    "rest": pl.Float64(),  # in the total's unit, if it is constant
    "share": pl.Float64(),  # weight * mean term / mean total
    "share_low": pl.Float64(),
    "share_high": pl.Float64(),
}
#: Two points always fit a line; only a third can contradict it.
_FEWEST: Final = 3


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per term `*_loss` that is printed at three or more of the steps at which `loss` is."""
    train = frames["metrics"].filter(
        pl.col("step").is_not_null(),
        pl.col("value").is_finite(),
        pl.col("split").fill_null("train") == "train",
    )
    per_step = ["job", "epoch", "step"]
    total = train.filter(pl.col("name") == "loss").unique(per_step, keep="first", maintain_order=True)
    rows = []
    for (name,), term in train.filter(pl.col("name").str.ends_with("_loss")).group_by("name", maintain_order=True):
        both = term.unique(per_step, keep="first", maintain_order=True).join(
            total, on=per_step, nulls_equal=True, suffix="_total", maintain_order="left"
        )
        x, y = both["value"].to_numpy(), both["value_total"].to_numpy()
        if len(x) < _FEWEST or float(np.ptp(x)) == 0.0:
            continue
        weight, half, rest = line_fit(x, y)
        scale = float(x.mean() / y.mean()) if y.mean() else float("nan")
        lines = both["line"].to_list()
        bound = float((y[x > 0] / x[x > 0]).min()) if (x > 0).any() else None
        interval = (weight, weight - half, weight + half)
        rows.append(
            (
                name,
                "loss",
                lines[0],
                lines[:20],
                len(x),
                *interval,
                bound,
                rest,
                *(w * scale for w in interval),
            )
        )
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def line_fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Slope, half the width of its 95 % t-interval, and intercept of least squares on three or more points."""
    from scipy.special import stdtrit

    dx = x - x.mean()
    spread = float(dx @ dx)
    slope = float(dx @ (y - y.mean())) / spread
    residual = y - y.mean() - slope * dx
    freedom = len(x) - 2
    error = (float(residual @ residual) / freedom / spread) ** 0.5
    return slope, float(stdtrit(freedom, 0.975)) * error, float(y.mean() - slope * x.mean())
