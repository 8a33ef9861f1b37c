"""Values that stand far above those before them, and whether the curve comes back.

Far: ten robust standard deviations of the last twenty values, and half as much again as their median. It has come back
where a value is within three standard deviations of that median again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.signals._curves import KEY, curves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # where it begins
    "step": pl.Int64(),
    "value": pl.Float64(),  # the highest of it
    "usual": pl.Float64(),  # median of the twenty values before
    "usual_noise": pl.Float64(),  # their robust standard deviation
    "ratio": pl.Float64(),  # value / usual
    "length": pl.Int64(),  # values until it is back, or to the end of the curve
    "recovered": pl.Boolean(),
    "spikes_in_all": pl.Int64(),  # of this curve
    "printed": pl.Int64(),
}
_WINDOW: Final = 20
_FEWEST: Final = 10
_FAR: Final = 10.0
_HIGH: Final = 1.5
_BACK: Final = 3.0
#: Between the quartiles of a normal distribution, in standard deviations.
_IQR_OF_NORMAL: Final = 1.349
#: A narrower spread is that of the print.
_FLOOR: Final = 0.01
#: Relative, so that what is left out at first is left out for certain.
_ROUNDING: Final = 1e-9
#: Values that are judged together, so that what is sorted for them stays small.
_AT_ONCE: Final = 50_000


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per spike of a loss or a gradient norm that has ten values before it, all above 0."""
    rows: list[tuple[object, ...]] = []
    for whole in curves(frames, ("grad_norm",), losses=True):
        curve = whole.finite()
        values = curve.values
        found: list[tuple[object, ...]] = []
        free = 0
        for at, usual, spread in _far(values):
            if at < free:
                continue
            back = _first_below(values, at, usual + _BACK * spread)
            free = len(values) if back is None else back
            top = float(values[at:free].max())
            place = curve.rows["line"][at], curve.rows["step"][at]
            found.append((*curve.key, *place, top, usual, spread, top / usual, free - at, back is not None))
        rows += [(*row, len(found), len(values)) for row in found]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _far(values: NDArray[np.float64]) -> Iterator[tuple[int, float, float]]:
    """The values that stand far above those before them, with the median and the spread of those."""
    # half of those before it lie so far below it: to sort them for each one would take long
    far_below = values / _HIGH * (1 + _ROUNDING)
    for at in range(_FEWEST, min(_WINDOW, len(values))):
        if values[at] > 0 and np.count_nonzero(values[:at] <= far_below[at]) >= at // 2:
            yield from _judged(values[None, :at], values[at : at + 1], np.array([at]))
    if len(values) <= _WINDOW:
        return
    before = np.lib.stride_tricks.sliding_window_view(values[:-1], _WINDOW)
    later, enough = values[_WINDOW:], far_below[_WINDOW:]
    low = np.zeros(len(later), np.int8)
    for place in range(_WINDOW):
        low += values[place : place + len(later)] <= enough
    chosen = np.flatnonzero((low >= _WINDOW // 2) & (later > 0))
    for some in np.array_split(chosen, max(1, len(chosen) // _AT_ONCE)):
        yield from _judged(before[some], later[some], some + _WINDOW)


def _judged(
    before: NDArray[np.float64], later: NDArray[np.float64], at: NDArray[np.int64]
) -> Iterator[tuple[int, float, float]]:
    with np.errstate(over="ignore"):  # differences of what a log may print overflow
        quarter, usual, three = np.quantile(before, [0.25, 0.5, 0.75], axis=1)
        spread = np.maximum((three - quarter) / _IQR_OF_NORMAL, _FLOOR * np.abs(usual))
        far = (later > usual + _FAR * spread) & (later > _HIGH * usual) & (usual > 0)
    yield from zip(at[far].tolist(), usual[far].tolist(), spread[far].tolist(), strict=True)


def _first_below(values: NDArray[np.float64], start: int, level: float) -> int | None:
    """The first value from `start` on that is no higher than `level`: looked for in pieces, since most are near.

    Exactly 0 is what is printed where nothing is measured any more.
    """
    size = _WINDOW
    while start < len(values):
        piece = values[start : start + size]
        below = (piece <= level) & (piece != 0)
        if below.any():
            return start + int(below.argmax())
        start, size = start + size, 2 * size
    return None
