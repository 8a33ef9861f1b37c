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
_COUNTED: Final = ("step", "step_unit", "epoch")
_UNPLACED: Final = pl.col("step").is_null() & pl.col("epoch").is_null()


def following(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, those that always follow a line that counts with its step and epoch.

    A step that does not grow from one such line to the next, as the batch of an epoch, is not taken.
    """
    # of millions of rows, those that are counted are asked last, and no column that is not needed
    generic = metrics.lazy().filter(pl.col("dialect").is_null()).select("line", "record", *_KEY, free=_UNPLACED)
    free = generic.filter("free").group_by(_KEY).agg(often=pl.len() >= _FEWEST).filter("often").collect()
    if free.is_empty():
        return metrics
    rows = generic.join(free.lazy(), on=_KEY, how="semi", nulls_equal=True).collect()
    rows = rows.join(rows.filter(~pl.col("free")), on=_KEY, how="anti", nulls_equal=True)
    if rows.is_empty():
        return metrics
    counted = metrics.lazy().filter(~_UNPLACED).select("line", *_COUNTED).unique("line", keep="last").collect()
    found = _followers(rows, counted)
    if found.is_empty():
        return metrics
    told = metrics.join(found, on=["line", "record", *_KEY], how="left", nulls_equal=True, maintain_order="left")
    taken = {name: pl.coalesce(name, f"{name}_above") for name in _COUNTED}
    return told.with_columns(**taken).select(metrics.columns)


def _followers(rows: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Line, record and name of those that follow a counted line each time, with what that counts."""
    heads = counted.select("line", *(pl.col(name).alias(f"{name}_above") for name in _COUNTED))
    heads = heads.sort("line").with_columns(head=pl.col("line"))
    rows = rows.sort("line", "record").join_asof(heads, on="line")
    rows = rows.with_columns(near=(pl.col("line") - pl.col("head") <= _NEAR).fill_null(value=False))
    rows = rows.filter(
        (pl.col("near").mean().over(_KEY) >= _MOSTLY) & (pl.col("head").n_unique().over(_KEY) == pl.len().over(_KEY))
    ).filter("near")
    grows = pl.col("step_above").diff().over(_KEY).fill_null(1) > 0
    of_run = grows.all().over(_KEY) & pl.col("step_above").is_not_null()
    return rows.with_columns(
        step_above=pl.when(of_run).then("step_above"), step_unit_above=pl.when(of_run).then("step_unit_above")
    ).select("line", "record", *_KEY, "step_above", "step_unit_above", "epoch_above")
