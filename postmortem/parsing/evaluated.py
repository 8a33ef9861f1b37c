"""A bar below the one that ended an epoch with both splits: Keras' `evaluate`, which prints no split.

`21/21 - loss: 0.01 - val_loss: 2.87` ends the last epoch; `2/2 - loss: 2.83` below it belongs to no epoch of the
training, though no other was begun since.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_PLACE: Final = ["line", "record"]


def evaluated(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, what stands below the only line of its epoch that has both splits with `eval` as its split."""
    of_a_bar = pl.col("step_unit") == "batch_of_epoch"
    # where no bar ends with an evaluation there is nothing to ask
    if not metrics.select((of_a_bar & (pl.col("split") == "eval")).any()).item():
        return metrics
    rows = (
        metrics.lazy()
        .filter(of_a_bar)
        .select(*_PLACE, "epoch", eval=pl.col("split") == "eval", plain=pl.col("split").is_null())
    )
    bars = rows.group_by(_PLACE).agg(pl.col("epoch").first(), pl.col("eval").any(), pl.col("plain").any()).sort(_PLACE)
    # so many bars in a row are of one epoch, which a heading in between (`Evaluating...`) takes from those below it
    of_epoch = pl.col("epoch").forward_fill()
    bars = bars.filter(of_epoch.is_not_null())
    bars = bars.with_columns(run=of_epoch.rle_id(), both=pl.col("eval") & pl.col("plain"))
    behind = pl.col("both").cum_sum().over("run") == 1
    found = bars.filter((pl.col("both").sum().over("run") == 1) & behind & ~pl.col("both") & ~pl.col("eval")).collect()
    if found.is_empty():
        return metrics
    told = found.select(*_PLACE, told=pl.lit("eval"))
    metrics = metrics.join(told, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")
    return metrics.with_columns(split=pl.coalesce("split", "told")).drop("told")
