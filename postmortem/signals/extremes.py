"""The least and the greatest finite value of every metric, with their lines: for all that asks what is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._curves import by, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),  # train where the log names none
    "source_name": pl.String(),
    "line": pl.Int64(),  # of the first value
    "printed": pl.Int64(),  # finite values
    "lowest": pl.Float64(),
    "lowest_line": pl.Int64(),
    "lowest_text": pl.String(),  # as printed
    "lowest_step": pl.Int64(),
    "highest": pl.Float64(),
    "highest_line": pl.Int64(),
    "highest_text": pl.String(),
    "highest_step": pl.Int64(),
}
_SPLIT: Final = pl.col("split").fill_null("train")
_COLUMNS: Final = ("value", "line", "text", "step", "split", "source_name", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per metric, split and source name. Placeholders and configured values are left out."""
    held = by_name(frames["metrics"])
    told = pl.col("value").is_finite() & pl.col("meaning").is_in(["value", "running_mean"])
    rows = []
    for name in held:
        for split, both in by(keep(held.of([name], _COLUMNS), told).with_columns(_SPLIT), "split"):
            for source, group in by(both, "source_name"):
                ends = [place for place in (group["value"].arg_min(), group["value"].arg_max()) if place is not None]
                found = [group.row(place)[:4] for place in ends]
                if found:
                    rows.append((name, split, source, group["line"].min(), group.height, *found[0], *found[1]))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
