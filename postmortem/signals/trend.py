"""Does a loss fall? Its straight-line change over the run, with the interval that the batches' spread leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.objectives import is_loss
from postmortem.signals._curves import by, keep
from postmortem.signals.decomposition import line_fit

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "metric": pl.String(),
    "split": pl.String(),
    "line": pl.Int64(),  # of the last value
    "lines": pl.List(pl.Int64()),  # first and last
    "printed": pl.Int64(),
    "first_step": pl.Int64(),
    "last_step": pl.Int64(),
    "first": pl.Float64(),
    "last": pl.Float64(),
    "change": pl.Float64(),  # over the whole run, in the metric's unit
    "change_low": pl.Float64(),
    "change_high": pl.Float64(),
}
_FEWEST: Final = 3
_COLUMNS: Final = ("line", "step", "value", "split", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per loss with three or more finite values at known, different steps of one epoch count."""
    held = by_name(frames["metrics"])
    rows = []
    told = pl.col("value").is_finite() & pl.col("step").is_not_null() & (pl.col("meaning") != "placeholder")
    groups = [
        (name, split, group)
        for name in filter(is_loss, held)
        for split, group in by(keep(held.of([name], _COLUMNS), told), "split")
    ]
    for name, split, group in groups:
        steps, values = group["step"].cast(pl.Float64).to_numpy(), group["value"].to_numpy()
        # a step that goes back starts another count: the line through both would mean nothing
        if len(values) < _FEWEST or (steps[1:] < steps[:-1]).any() or steps[-1] == steps[0]:
            continue
        with np.errstate(all="ignore"):
            slope, half, _ = line_fit(steps, values)
        span = float(steps[-1] - steps[0])
        lines = [group["line"][0], group["line"][-1]]
        change = (slope * span, (slope - half) * span, (slope + half) * span)
        ends = (int(steps[0]), int(steps[-1]), float(values[0]), float(values[-1]))
        rows.append((name, split, lines[1], lines, len(values), *ends, *change))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
