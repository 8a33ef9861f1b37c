"""Where a curve has gone from its beginning to its end, robustly: levels, batch noise, and the Theil-Sen trend.

Levels are medians of the first and of the last tenth; the change is the median slope of all pairs times the length,
with Sen's interval. Single wild values move neither. Neighbouring values that depend on each other make the interval
too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, NAMES, curves, noise, theil_sen, thin

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the last value
    "lines": pl.List(pl.Int64()),  # first and last
    "printed": pl.Int64(),  # finite values
    "first_step": pl.Int64(),
    "last_step": pl.Int64(),
    "first": pl.Float64(),  # the very first value
    "last": pl.Float64(),
    "start": pl.Float64(),  # median of the first tenth, of three values at least
    "end": pl.Float64(),  # median of the last tenth
    "middle": pl.Float64(),  # median of all
    "lowest": pl.Float64(),
    "highest": pl.Float64(),
    "batch_noise": pl.Float64(),  # standard deviation from value to value, robust
    "change": pl.Float64(),  # over the whole curve, in the metric's unit
    "change_low": pl.Float64(),
    "change_high": pl.Float64(),
    "zeros": pl.Int64(),  # values that are exactly 0
    "different": pl.Int64(),  # different values
}
_NAMES: Final = NAMES - {"loss_scale", "skipped_steps"}
_FEWEST: Final = 5
_ENDS: Final = 0.1
_FEWEST_AT_ENDS: Final = 3


@np.errstate(all="ignore")  # differences of what a log may print overflow
def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of five or more finite values: losses, norms, rates, rewards, accuracies, entropies."""
    rows = []
    for whole in curves(frames, _NAMES, losses=True):
        curve = whole.finite()
        table, values = curve.rows, curve.values
        if len(values) < _FEWEST:
            continue
        tenth = max(_FEWEST_AT_ENDS, round(_ENDS * len(values)))
        known = table["step"].drop_nulls()
        lines = [table["line"][0], table["line"][-1]]
        rows.append((
            *curve.key,
            lines[1],
            lines,
            len(values),
            known[0] if len(known) else None,
            known[-1] if len(known) else None,
            float(values[0]),
            float(values[-1]),
            float(np.median(values[:tenth])),
            float(np.median(values[-tenth:])),
            float(np.median(values)),
            float(values.min()),
            float(values.max()),
            noise(values),
            *theil_sen(*thin(values)),
            int((values == 0).sum()),
            table["value"].n_unique(),
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
