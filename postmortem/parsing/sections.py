"""What stands around a setting says whose it is: `eps` between betas and weight decay is the optimizer's."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Settings that only an optimizer has, so many lines before or behind.
_NEIGHBOURS: Final = ("weight_decay", "betas", "amsgrad", "adam_beta1", "beta1", "beta2")
_NEAR: Final = 4
#: A normaliser's eps is not this small in any library; Adam's is 1e-8 in most.
_LARGEST: Final = 1e-7


def with_optimizer_eps(settings: pl.DataFrame) -> pl.DataFrame:
    """`settings` in which an optimizer's `eps` has its own key."""
    theirs = pl.col("source_name").str.to_lowercase().is_in(_NEIGHBOURS)
    near = settings.filter(theirs)["line"].unique()
    beside = settings.filter(pl.col("key") == "lr")["line"].unique()  # `Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08)`
    if near.is_empty() and beside.is_empty():
        return settings
    around = pl.concat([beside, *(near + shift for shift in range(-_NEAR, _NEAR + 1))]).unique()
    is_eps = (pl.col("source_name") == "eps") & (pl.col("number") <= _LARGEST) & pl.col("line").is_in(around.implode())
    return settings.with_columns(key=pl.when(is_eps).then(pl.lit("optimizer_eps")).otherwise("key"))
