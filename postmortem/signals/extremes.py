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


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric, split and source name. Placeholders and configured values are left out."""
    metrics = frames["metrics"].filter(pl.col("value").is_finite(), pl.col("meaning").is_in(["value", "running_mean"]))
    value = pl.col("value")
    # grouping by text takes several times as long
    keys = (pl.col("name").alias("metric"), pl.col("split").fill_null("train"), pl.col("source_name"))
    groups = (
        metrics.lazy()
        .select(
            "line", "value", *(key.cast(pl.Categorical) for key in keys), row=pl.int_range(pl.len(), dtype=pl.UInt32)
        )
        .group_by("metric", "split", "source_name", maintain_order=True)
        .agg(
            pl.col("line").min(),
            pl.len().alias("printed"),
            pl.col("row").get(value.arg_min()).alias("lowest row"),
            pl.col("row").get(value.arg_max()).alias("highest row"),
        )
        .collect()
    )
    for end in ("lowest", "highest"):
        found = metrics[groups[f"{end} row"]].select("value", "line", "text", "step")
        groups = groups.hstack(
            found.rename({"value": end, **{name: f"{end}_{name}" for name in ("line", "text", "step")}})
        )
    return groups.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
