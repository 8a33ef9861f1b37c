"""Where a learning rate rises after it had fallen: a schedule goes up once, and then down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._curves import by, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "split": pl.String(),
    "source_name": pl.String(),
    "line": pl.Int64(),
    "line_before": pl.Int64(),
    "step": pl.Int64(),
    "step_before": pl.Int64(),  # null where an epoch has begun in between, whose batches are counted anew
    "value": pl.Float64(),
    "before": pl.Float64(),
    "peak": pl.Float64(),  # the highest value up to the one before
}
_COLUMNS: Final = ("line", "record", "rank", "step", "epoch", "value", "meaning", "scope", "split", "source_name")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per value above the one before it, which is above 0 and below the highest so far. Of the first rank."""
    told = (
        pl.col("value").is_finite()
        & (pl.col("meaning") == "value")
        & pl.col("scope").is_null()
        & (pl.col("rank").is_null() | (pl.col("rank") == 0))
    )
    value, before = pl.col("value"), pl.col("value").shift(1)
    same_epoch = ~(pl.col("epoch") > pl.col("epoch").shift(1)).fill_null(value=False)
    found = [pl.DataFrame(schema=COLUMNS)]
    for _, of_source in by(keep(by_name(frames["metrics"]).of(["lr"], _COLUMNS), told), "source_name"):
        for _, series in by(of_source, "split"):
            ordered = series if series["line"].is_sorted() else series.sort("line", "record")
            rises = (value > before) & (before > 0) & (before < value.cum_max().shift(1))
            found.append(
                ordered.with_columns(
                    before=before,
                    peak=value.cum_max().shift(1),
                    line_before=pl.col("line").shift(1),
                    step_before=pl.when(same_epoch).then(pl.col("step").shift(1)),
                )
                .filter(rises)
                .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
            )
    return pl.concat(found)
