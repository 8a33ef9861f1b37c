"""Values that have no step of their own and stand below a line that counts, each time: they are of its step.

`[epoch 1][iter 100] loss: 6.7` and, a line or two below it, `rpn_cls: 0.70, rpn_box: 1.71`. Which names do so is told
by the whole log: those that are never counted themselves, and below another counted line each time.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Lines between the two.
_NEAR: Final = 4
#: Of one name; once or twice it may be a summary at the end.
_FEWEST: Final = 3
#: Of its values, that stand so.
_MOSTLY: Final = 0.9
_KEY: Final = ("source_name", "split")
_COUNTERS: Final = ("step", "epoch")


def following(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, those that always follow a line that counts with its step and epoch.

    A step that does not grow from one such line to the next, as the batch of an epoch, is not taken.
    """
    unplaced = pl.all_horizontal(pl.col(counter).is_null() for counter in _COUNTERS)
    found = _followers(metrics.with_columns(free=unplaced & pl.col("dialect").is_null()), metrics.filter(~unplaced))
    if found.is_empty():
        return metrics
    told = metrics.join(found, on=["line", "record", *_KEY], how="left", nulls_equal=True, maintain_order="left")
    taken = {name: pl.coalesce(name, f"{name}_above") for name in ("step", "step_unit", "epoch")}
    return told.with_columns(**taken).select(metrics.columns)


def _followers(metrics: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Line, record and name of those values, with what the line above them counts."""
    free = metrics.group_by(_KEY).agg(pl.col("free").all(), rows=pl.len())
    free = free.filter("free", pl.col("rows") >= _FEWEST)
    if free.is_empty() or counted.is_empty():
        return pl.DataFrame(schema={"line": pl.Int64()})
    heads = counted.select("line", *(pl.col(name).alias(f"{name}_above") for name in ("step", "step_unit", "epoch")))
    heads = heads.unique("line", keep="last").sort("line").with_columns(head=pl.col("line"))
    rows = metrics.join(free.select(_KEY), on=_KEY, how="semi", nulls_equal=True)
    rows = rows.select("line", "record", *_KEY).sort("line", "record").join_asof(heads, on="line")
    rows = rows.with_columns(near=(pl.col("line") - pl.col("head") <= _NEAR).fill_null(value=False))
    rows = rows.filter(
        (pl.col("near").mean().over(_KEY) >= _MOSTLY) & (pl.col("head").n_unique().over(_KEY) == pl.len().over(_KEY))
    ).filter("near")
    grows = pl.col("step_above").diff().over(_KEY).fill_null(1) > 0
    of_run = grows.all().over(_KEY) & pl.col("step_above").is_not_null()
    return rows.with_columns(
        step_above=pl.when(of_run).then("step_above"), step_unit_above=pl.when(of_run).then("step_unit_above")
    ).select("line", "record", *_KEY, "step_above", "step_unit_above", "epoch_above")
