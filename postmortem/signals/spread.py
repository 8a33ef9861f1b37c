"""Is a value unusual, or within the spread of the values before it?

The 95 % prediction interval for the next of n independent values with mean m and standard deviation s is
m +- t(n-1) * s * sqrt(1 + 1/n). It asks for no model beyond that the batches are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),
    "line": pl.Int64(),
    "step": pl.Int64(),
    "value": pl.Float64(),
    "previous": pl.Float64(),  # the value printed just before
    "before": pl.Int64(),  # how many values came before it
    "mean": pl.Float64(),  # of those
    "low": pl.Float64(),
    "high": pl.Float64(),
    "last": pl.Boolean(),  # the last value of this metric
}
#: With fewer values before it, the interval is too wide to say anything.
_FEWEST: Final = 5


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per finite value of a loss that has five or more before it. Running means are left out."""
    from scipy.special import stdtrit

    losses = frames["metrics"].filter(
        pl.col("value").is_finite(),
        pl.col("meaning") == "value",
        (pl.col("name") == "loss") | pl.col("name").str.ends_with("_loss"),
    )
    parts = []
    for (name, split), group in losses.group_by("name", "split", maintain_order=True):
        values = group["value"].to_numpy()
        if len(values) <= _FEWEST:
            continue
        n = np.arange(1, len(values))
        mean = np.cumsum(values)[:-1] / n
        # of deviations from the first value: sums of squares of large, close numbers cancel
        shifted = values - values[0]
        squares = np.cumsum(shifted**2)[:-1] - n * (mean - values[0]) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            half = stdtrit(n - 1, 0.975) * np.sqrt(np.maximum(squares, 0) / (n - 1) * (1 + 1 / n))
        keep = slice(_FEWEST - 1, None)
        parts.append(
            pl.DataFrame(
                {
                    "metric": name,
                    "split": split,
                    "line": group["line"][1:][keep],
                    "step": group["step"][1:][keep],
                    "value": values[1:][keep],
                    "previous": values[:-1][keep],
                    "before": n[keep],
                    "mean": mean[keep],
                    "low": (mean - half)[keep],
                    "high": (mean + half)[keep],
                    "last": (n == len(values) - 1)[keep],
                },
                schema=COLUMNS,
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame(schema=COLUMNS)
