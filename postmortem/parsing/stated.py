"""What stands among the lines of a configuration is a setting, whatever a single line of it looks like.

`dropout: 0.1` alone is measured as often as set. Between `lr: 0.001` and `batch_size: 32` it is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem import frames

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: Settings that everybody knows; with fewer a block may report results, unless it has so many of any kind.
_FEWEST_KNOWN: Final = 3
_FEWEST: Final = 8
#: A line between may be a heading.
_NEAR: Final = 2
_UNPLACED: Final = pl.col("dialect").is_null() & pl.col("step").is_null() & pl.col("epoch").is_null()


def stated(settings: pl.DataFrame, metrics: pl.DataFrame, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`settings` and `metrics`: those of a name that nobody knows, with one value and among settings, moved."""
    set_ = settings.filter(_UNPLACED).select("line", "source_name")
    known = set_.filter([names.setting(name) is not None for name in set_["source_name"]])
    if known.is_empty() or (known.height < _FEWEST_KNOWN and set_.height < _FEWEST):
        return settings, metrics
    single = metrics.filter(_UNPLACED, pl.col("value").is_finite(), pl.col("split").is_null())
    again = metrics.join(single.select("source_name").unique(), on="source_name", how="semi")
    # a run that begins anew states it again
    again = again.group_by("source_name").agg(pl.col("text").n_unique()).filter(pl.col("text") > 1)
    single = single.join(again, on="source_name", how="anti", maintain_order="left")
    single = single.filter([not names.metric(name).known for name in single["source_name"]])
    found = single.filter(pl.col("line").is_in(_beside(set_["line"], known["line"], single["line"]).implode()))
    if found.is_empty():
        return settings, metrics
    moved = found.with_columns(key="name", number="value", value="text", origin=pl.lit("log"))
    moved = moved.select(*frames.schema("settings")).cast(pl.Schema(frames.schema("settings")))
    kept = metrics.join(found, on=["line", "record", "source_name"], how="anti", maintain_order="left")
    return pl.concat([settings, moved]).sort("line", "record", maintain_order=True), kept


def _beside(set_: pl.Series, known: pl.Series, single: pl.Series) -> pl.Series:
    """The lines among `single` that hold one number each and stand in a block with enough of what is known."""
    rows = pl.concat([
        pl.DataFrame({"line": set_, "known": set_.is_in(known.implode()), "single": False}),
        pl.DataFrame({"line": single, "known": False, "single": True}),
    ]).sort("line")  # fmt: skip
    block = (pl.col("line") - pl.col("line").shift(1) > _NEAR).fill_null(value=True).cum_sum()
    rows = rows.with_columns(block=block, alone=(pl.len() == 1).over("line"))
    everybody, any_kind = pl.col("known").sum(), (~pl.col("single")).sum()
    settled = (everybody >= _FEWEST_KNOWN) | ((everybody > 0) & (any_kind >= _FEWEST))
    return rows.filter(settled.over("block"), "single", "alone")["line"]
