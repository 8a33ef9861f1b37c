"""Sums over the batches so far, `[9/251] running loss: 13.8`: they rise whatever is learned, and are no course.

What a sum is told by is arithmetic: its n-th value is about n times its first. That alone a loss that diverges may also
do once; so its name has to say it, or it begins anew.
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Values that are compared with as many times the first.
_FEWEST: Final = 8
#: Of that, at the least and at the most: batches differ, and a model learns.
_LEAST: Final = 0.5
_MOST: Final = 1.5
#: Words by which a name says that it is one; a total is that of several terms as often.
_SAID: Final = r"(?i)running|\bsum|cumul|accum"
#: Of the value before, below which a sum has begun anew.
_ANEW: Final = 0.5
_KEY: Final = ("source_name", "split", "scope", "rank")


def with_sums(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, those that are sums with that meaning. What is not finite keeps its own: it is as wrong in a sum."""
    plain = pl.col("dialect").is_null() & pl.col("name").str.ends_with("loss") & (pl.col("meaning") == "value")
    rows = metrics.lazy().filter(plain, pl.col("value").is_finite()).select("line", "record", "value", *_KEY).collect()
    found = (
        rows.sort("line", "record")
        .group_by(_KEY, maintain_order=True)
        .agg(begins=pl.col("value").head(_FEWEST), anew=(pl.col("value") < _ANEW * pl.col("value").shift(1)).any())
    )
    times = pl.col("begins").list.eval(pl.element() / pl.element().first() / pl.int_range(1, pl.len() + 1))
    grows = pl.col("begins").list.diff().list.drop_nulls().list.min() > 0
    found = found.filter(
        pl.col("begins").list.len() == _FEWEST,
        pl.col("begins").list.first() > 0,
        times.list.min() >= _LEAST,
        times.list.max() <= _MOST,
        grows,
        pl.col("anew") | pl.col("source_name").str.contains(_SAID),
    )
    if found.is_empty():
        return metrics
    told = metrics.join(found.select(*_KEY, is_sum=True), on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    is_sum = pl.col("is_sum").fill_null(value=False) & plain & pl.col("value").is_finite()
    return told.with_columns(meaning=pl.when(is_sum).then(pl.lit("sum")).otherwise("meaning")).select(metrics.columns)
