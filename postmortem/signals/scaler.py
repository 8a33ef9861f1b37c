"""What a dynamic loss scale does: where it starts, how often it falls and rises, and whether it is still falling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, curves, where

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
    for whole in curves(frames, ("loss_scale",)):
        curve = whole.finite()
        table = where(curve.rows, curve.values > 0)
        if table.height < 2:  # noqa: PLR2004 - one value does not move
            continue
        scale, line = table["value"].to_numpy(), table["line"]
        moves = np.diff(scale)
        rises = np.flatnonzero(moves > 0) + 1
        since = int(rises[-1]) if len(rises) else 0
        low = int(scale.argmin())
        others = np.flatnonzero(scale != scale[-1])
        rows.append((
            *curve.key,
            line[low],
            [line[0], line[low], line[-1]],
            len(scale),
            float(scale[0]),
            float(scale[low]),
            float(scale[-1]),
            int((moves < 0).sum()),
            len(rises),
            int((moves[since:] < 0).sum()),
            math.log2(float(scale[since]) / float(scale[-1])),
            len(scale) - 1 - int(others[-1]) if len(others) else len(scale),
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
