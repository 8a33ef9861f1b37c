"""The least and the greatest finite value of every metric, with their lines: one pass for all rules on what is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),  # train where the log names none
    "source_name": pl.String(),
    "scope": pl.String(),
    "dialect": pl.String(),
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


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric, split, source name, scope and dialect. Placeholders and configured values are left out."""
    metrics = frames["metrics"].filter(pl.col("value").is_finite(), pl.col("meaning").is_in(["value", "running_mean"]))
    at = {"lowest": pl.col("value").arg_min(), "highest": pl.col("value").arg_max()}
    return (
        metrics.group_by(
            pl.col("name").alias("metric"),
            pl.col("split").fill_null("train"),
            "source_name",
            "scope",
            "dialect",
            maintain_order=True,
        )
        .agg(
            pl.col("line").min(),
            pl.len().alias("printed"),
            *(pl.col("value").get(place).alias(name) for name, place in at.items()),
            *(
                pl.col(col).get(place).alias(f"{name}_{col}")
                for name, place in at.items()
                for col in ("line", "text", "step")
            ),
        )
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )
