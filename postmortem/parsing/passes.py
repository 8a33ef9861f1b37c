"""Two passes over data in each epoch, of which nothing says what they are: the training, then the evaluation.

pytorch-cifar and what was made of it draw a bar of 391 batches and then one of 100 below each `Epoch: 4`, both with
`Loss: 1.28 | Acc: 53.2%`. Which names do so is told by the whole log: their batches begin again once in each epoch, and
the second pass is always as long as itself, and shorter than the first.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_PASSES: Final = 2
#: Epochs of both; one alone may have been begun anew.
_FEWEST: Final = 2
#: Of the epochs, whose passes are as long as those of the others.
_MOSTLY: Final = 0.9
_KEY: Final = "source_name"


def passes(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, those without a split whose epochs have two passes with `train` and `eval` as their split."""
    plain = pl.col("split").is_null() & pl.col("epoch").is_not_null() & pl.col("step").is_not_null()
    again = (pl.col("epoch") == pl.col("epoch").shift()) & (pl.col("step") < pl.col("step").shift())
    # where no counter ever falls within an epoch there is nothing to ask
    if not metrics.select((plain & again).any()).item():
        return metrics
    rows = metrics.select("line", "record", _KEY, "epoch", "step", plain=plain).filter("plain")
    rows = rows.sort("line", "record").with_columns(
        nth=(pl.col("step").diff() < 0).fill_null(value=False).cum_sum().over(_KEY, "epoch")
    )
    found = rows.join(_in_two(rows), on=_KEY, how="semi", nulls_equal=True)
    if found.is_empty():
        return metrics
    told = found.select(
        "line", "record", _KEY, told=pl.when(pl.col("nth") == 0).then(pl.lit("train")).otherwise(pl.lit("eval"))
    )
    told = told.unique(["line", "record", _KEY], keep="first")
    metrics = metrics.join(told, on=["line", "record", _KEY], how="left", nulls_equal=True, maintain_order="left")
    return metrics.with_columns(split=pl.coalesce("split", "told")).drop("told")


def _in_two(rows: pl.DataFrame) -> pl.DataFrame:
    """The names whose epochs have two passes, each always as long as itself, the second the shorter one."""
    epochs = rows.group_by(_KEY, "epoch").agg(
        times=pl.col("nth").max() + 1,
        first=pl.col("step").filter(pl.col("nth") == 0).max(),
        second=pl.col("step").filter(pl.col("nth") == 1).max(),
    )
    both = (pl.col("times") == _PASSES) & (pl.col("second") < pl.col("first"))
    alike = [
        (pl.col(name).filter(both) == pl.col(name).filter(both).mode().first()).mean() for name in ("first", "second")
    ]
    return (
        epochs.group_by(_KEY)
        .agg(both=both.sum(), epochs=pl.len(), first=alike[0], second=alike[1])
        # the last one may be cut off
        .filter(
            pl.col("both") >= pl.max_horizontal(pl.lit(_FEWEST), pl.col("epochs") - 1),
            pl.min_horizontal("first", "second") >= _MOSTLY,
        )
    )
