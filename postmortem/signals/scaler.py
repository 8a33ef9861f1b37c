"""What a dynamic loss scale does: where it starts, how often it falls and rises, and whether it is still falling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.signals._curves import KEY, curves

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the lowest scale
    "lines": pl.List(pl.Int64()),  # first, lowest, last
    "printed": pl.Int64(),
    "first_scale": pl.Float64(),
    "lowest_scale": pl.Float64(),
    "last_scale": pl.Float64(),
    "falls": pl.Int64(),  # times that it is lower than printed before
    "rises": pl.Int64(),
    "falls_since_rise": pl.Int64(),  # falls after the last rise
    "halvings_since_rise": pl.Float64(),  # log2 of how far it has fallen since it last rose
    "still": pl.Int64(),  # values at the end that are all the last scale
}


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of a loss scale of two or more values above 0."""
    rows = []
    for curve in curves(frames, ("loss_scale",)):
        table = (
            curve.finite()
            .rows.filter(pl.col("value") > 0)
            .with_columns(change=pl.col("value").diff().sign().fill_null(0))
        )
        if table.height < 2:  # noqa: PLR2004 - one value does not move
            continue
        scale = table["value"]
        up = table.with_row_index("at").filter(pl.col("change") > 0)["at"]
        since = int(up[-1]) if len(up) else 0
        runs = scale.rle_id()
        low = int(scale.arg_min() or 0)
        rows.append((
            *curve.key,
            table["line"][low],
            [table["line"][0], table["line"][low], table["line"][-1]],
            table.height,
            scale[0],
            scale[low],
            scale[-1],
            int((table["change"] < 0).sum()),
            len(up),
            int((table["change"][since + 1 :] < 0).sum()),
            (pl.Series([scale[since] / scale[-1]]).log(2))[0],
            int((runs == runs[-1]).sum()),
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
