"""The least and the greatest finite value of every metric, with their lines: for all that asks what is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),  # train where the log names none
    "source_name": pl.String(),
    "line": pl.Int64(),  # of the first value
    "printed": pl.Int64(),  # finite values
    "lowest": pl.Float64(),
    "lowest_line": pl.Int64(),
    "lowest_text": pl.String(),  # as printed
    "lowest_step": pl.Int64(),
    "highest": pl.Float64(),
    "highest_line": pl.Int64(),
    "highest_text": pl.String(),
    "highest_step": pl.Int64(),
}
#: Where the ends of a group are, and what they are called.
_ENDS: Final = (("lowest", pl.col("value").arg_min()), ("highest", pl.col("value").arg_max()))


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric, split and source name. Placeholders and configured values are left out."""
    told = pl.col("value").is_finite() & pl.col("meaning").is_in(["value", "running_mean"])
    at_ends = (
        pl.col(column).get(place).alias(end if column == "value" else f"{end}_{column}")
        for end, place in _ENDS
        for column in ("value", "line", "text", "step")
    )
    return (
        frames["metrics"]
        .lazy()
        .filter(told)
        .group_by(pl.col("name").alias("metric"), pl.col("split").fill_null("train"), "source_name", maintain_order=True)
        .agg(pl.col("line").min(), pl.len().cast(pl.Int64).alias("printed"), *at_ends)
        .select(*COLUMNS)
        .collect()
    )
