"""What a log states under one step after the other is measured, whatever a single line of it looks like.

`alpha = 0.001` alone on a line is a setting, unless it stands below `Batch = 100` and again, changed, below the next.
So is `buffer: 4100`, which a configuration may also hold: it has to change more often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem import frames

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: So many places, and so many values: a configuration printed anew by a run that goes on has fewer.
_FEWEST: Final = 3
#: Of whole numbers, which count and measure as often as they are set.
_FEWEST_WHOLE: Final = 5


def told(settings: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Rows of `metrics`: settings that no dialect read, and whose numbers change from step to step."""
    stepped = pl.col("step").is_not_null() | pl.col("epoch").is_not_null()
    placed = settings.filter(pl.col("number").is_not_null() & pl.col("dialect").is_null() & stepped)
    found = placed.group_by("source_name", maintain_order=True).agg(
        places=pl.struct("step", "epoch").n_unique(),
        values=pl.col("number").n_unique(),
        decimal=pl.col("value").str.contains(r"[.eE]").any(),
    )
    measured = [
        {"source_name": name, "name": metric.name, "split": metric.split}
        for name, places, values, decimal in found.iter_rows()
        if _changes(places, values, decimal, (metric := names.metric(name)).known, names.setting(name) is not None)
    ]
    if not measured:
        return frames.build("metrics", [])
    text = pl.String()
    named = pl.DataFrame(measured, schema={"source_name": text, "name": text, "split": text})
    rows = placed.join(named, on="source_name", how="inner", maintain_order="left").with_columns(
        value="number", text="value", meaning=pl.lit("value"), scope=pl.lit(None, text)
    )
    return rows.select(*frames.schema("metrics")).cast(pl.Schema(frames.schema("metrics")))


def _changes(places: int, values: int, decimal: bool, measure: bool, setting: bool) -> bool:  # noqa: FBT001 - of a row
    """Whether what has so many values in so many places is measured: decimal numbers, or such as nobody sets."""
    if not decimal:
        return not setting and min(places, values) >= _FEWEST_WHOLE
    # a learning rate may stay what it is
    return places >= _FEWEST and (measure or values >= _FEWEST)
