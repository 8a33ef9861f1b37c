"""Where a curve was lowest, and how far it has risen since: against its own noise, and for how long.

The course is a running median, which a spike does not move; the end is the median of the last tenth. A rise counts as
sustained where the trend of the values after the minimum is upwards with its whole interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, MAD_TO_STD, curves, noise, theil_sen, thin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the minimum
    "lines": pl.List(pl.Int64()),  # of the minimum and of the last value
    "printed": pl.Int64(),
    "after": pl.Int64(),  # values after the minimum
    "step": pl.Int64(),  # of the minimum
    "last_step": pl.Int64(),
    "start": pl.Float64(),  # of the course
    "low": pl.Float64(),  # of the course
    "end": pl.Float64(),  # median of the last tenth
    "rise": pl.Float64(),  # end - low
    "residual_noise": pl.Float64(),  # standard deviation around the course, robust
    "sigmas": pl.Float64(),  # rise / the larger of that and the noise from value to value
    "rise_low": pl.Float64(),  # lower end of the interval of the trend after the minimum, times its length
    "later_low": pl.Float64(),  # of the later half of the values after it, what nine in ten lie above
    "share_above": pl.Float64(),  # of the later half of those after it, those above it by three deviations
}
_FEWEST: Final = 10
_FEWEST_AFTER: Final = 3
#: A spread below this share of the value is how it was rounded in print.
_FLOOR: Final = 1e-3
_CLEARLY: Final = 3.0
#: A share of values that may be chance.
_FEW: Final = 0.1
#: A longer curve is told as well by the medians of runs of its values.
_ENOUGH: Final = 20_000


@np.errstate(all="ignore")  # differences of what a log may print overflow
def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per loss with ten or more finite values and three or more after its minimum."""
    rows = []
    for whole in curves(frames, ("perplexity", "nll_bits"), losses=True):
        curve = whole.finite()
        table, values = curve.rows, curve.values
        if len(values) < _FEWEST:
            continue
        run = -(-len(values) // _ENOUGH)
        told = _medians(values, run)
        window = max(3, len(told) // 40) | 1
        course = pl.Series(told).rolling_median(window, center=True, min_samples=1).to_numpy()
        lowest = int(course.argmin())
        around, end_of = max(0, lowest - window // 2) * run, (lowest + window // 2 + 1) * run
        at = around + int(values[around:end_of].argmin())
        after = len(values) - 1 - at
        if after < _FEWEST_AFTER:
            continue
        tail = max(3, len(values) // 10)
        low, end = float(course[lowest]), float(np.median(values[-tail:]))
        residual = float(MAD_TO_STD * np.median(np.abs(values - np.repeat(course, run)[: len(values)])))
        spread = max(residual, noise(values), _FLOOR * abs(low), np.finfo(float).tiny)
        later = values[at + 1 :]
        lines = [table["line"][at], table["line"][-1]]
        rows.append((
            *curve.key,
            lines[0],
            lines,
            len(values),
            after,
            table["step"][at],
            table["step"][-1],
            float(course[0]),
            low,
            end,
            end - low,
            residual,
            (end - low) / spread,
            theil_sen(*thin(later))[1],
            float(np.quantile(later[after // 2 :], _FEW)),
            float((later[after // 2 :] > low + _CLEARLY * spread).mean()),
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _medians(values: NDArray[np.float64], run: int) -> NDArray[np.float64]:
    """The medians of runs of so many values, the last one shorter."""
    if run == 1:
        return values
    full = len(values) // run * run
    rest = [np.median(values[full:])] if full < len(values) else []
    return np.append(np.median(values[:full].reshape(-1, run), axis=1), rest)
