"""A number and a colon before all else in a line: the label of a rank, `0: loss 0.5`, or a step that has no word.

srun writes the one, small programs the other. Which it is, all lines of the log together tell: a step stands on one
line and grows from each to the next; ranks write as they come, and again.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Lines that are labelled, where two labels are further apart than one.
_FEWEST: Final = 3
#: Where they count one by one, as that many ranks would have to write once each, and in their order.
_FEWEST_IN_ORDER: Final = 12


def as_steps(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, with the step for the rank where no line counts, and what is before its values can be no rank."""
    if metrics["rank"].null_count() == metrics.height:
        return metrics
    placed = metrics.lazy().filter(pl.col("rank").is_not_null())
    if placed.filter(pl.col("step").is_not_null() | pl.col("epoch").is_not_null()).head(1).collect().height:
        return metrics
    labels = placed.select("line", "rank").unique(maintain_order=True).sort("line").collect()["rank"]
    gaps = labels.diff().drop_nulls()
    if len(labels) < _FEWEST or not (gaps > 0).all() or ((gaps == 1).all() and len(labels) < _FEWEST_IN_ORDER):
        return metrics
    step = pl.coalesce("step", "rank")
    unit = pl.when(pl.col("rank").is_not_null()).then(pl.lit("unknown")).otherwise("step_unit")
    return metrics.with_columns(step=step, step_unit=unit, rank=pl.lit(None, pl.Int64()))
