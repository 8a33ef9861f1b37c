"""Is the end of a curve better than its beginning: how often a value of its last third beats one of its first.

Among values without a trend that happens in half of all pairs, whatever their spread and their unit (Mann and Whitney,
1947). It is asked of what is known to be better when it is smaller, or larger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem import objectives
from postmortem.metrics import by_name
from postmortem.signals._curves import KEY, curves, thin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from postmortem.signals._curves import Curve

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the last value
    "lines": pl.List(pl.Int64()),  # first and last
    "printed": pl.Int64(),  # finite values
    "first_step": pl.Int64(),
    "last_step": pl.Int64(),
    "first_epoch": pl.Float64(),
    "less": pl.Boolean(),  # better when it is smaller
    "first": pl.Float64(),  # median of the first third
    "middle": pl.Float64(),  # median of what is between
    "last": pl.Float64(),  # median of the last third
    "gained": pl.Float64(),  # by what the last is better, as a ratio to the larger, or to what was missing
    "ahead": pl.Float64(),  # share of pairs in which a value of the last third is better; of equal ones, half
    "at_once": pl.Boolean(),  # the first two values are both worse than each of the last third
    "at_last": pl.Boolean(),  # the last two values are both better than each of the first third
    "worsened": pl.Float64(),  # share of values that are worse than the one before
}
#: Fewer have no thirds.
_FEWEST: Final = 3


@np.errstate(all="ignore")  # differences of what a log may print overflow
def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of three or more finite values for which better is known."""
    rows = []
    names = {name for name in by_name(frames["metrics"]) if objectives.less_is_better(name) is not None}
    for whole in curves(frames, names, losses=True):
        curve = whole.finite()
        less = _less(curve)
        if less is None or len(curve.values) < _FEWEST:
            continue
        _, values = thin(curve.values)
        third = len(values) // 3
        first, last = values[:third], values[-third:]
        before, after = float(np.median(first)), float(np.median(last))
        better = before - after if less else after - before
        steps, epochs = (curve.rows[name].drop_nulls() for name in ("step", "epoch"))
        lines = [curve.rows["line"][0], curve.rows["line"][-1]]
        rows.append((
            *curve.key,
            lines[1],
            lines,
            len(curve.values),
            steps[0] if len(steps) else None,
            steps[-1] if len(steps) else None,
            epochs[0] if len(epochs) else None,
            less,
            before,
            float(np.median(values[third:-third])),
            after,
            _gained(curve, before, after, better),
            _ahead(last, first) if less else _ahead(first, last),
            bool((last < first[:2].min()).all() if less else (last > first[:2].max()).all()),
            bool((last[-2:].max() < first).all() if less else (last[-2:].min() > first).all()),
            float((np.diff(curve.values) * (1 if less else -1) > 0).mean()),
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _gained(curve: Curve, before: float, after: float, better: float) -> float:
    """By what the end is better, as a ratio: of a share near the whole, to what was missing from that."""
    larger = max(abs(before), abs(after), np.finfo(float).tiny)
    if better > 0 and objectives.is_share(curve.metric) and curve.values.min() >= 0:
        whole = 1.0 if curve.values.max() <= 1 else 100.0
        larger = min(larger, max(whole - before, np.finfo(float).tiny))
    return better / larger


def _less(curve: Curve) -> bool | None:
    """Whether smaller values of the curve are better, if that is known."""
    return True if curve.objective else objectives.less_is_better(curve.metric)


def _ahead(lower: NDArray[np.float64], higher: NDArray[np.float64]) -> float:
    """The share of pairs, one of each, in which the second is the larger; of equal ones, half."""
    order = np.sort(lower)
    below = np.searchsorted(order, higher, "left") + np.searchsorted(order, higher, "right")
    return float(below.mean() / (2 * len(lower)))
