"""Values that stand far above those before them, and whether the curve comes back.

Far: ten robust standard deviations of the last twenty values, and half as much again as their median. It has come back
where a value is within three standard deviations of that median again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.signals._curves import KEY, curves

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per spike of a loss or a gradient norm that has ten values before it, all above 0."""
    rows: list[tuple[object, ...]] = []
    for whole in curves(frames, ("grad_norm",), losses=True):
        curve = whole.finite()
        value = pl.col("value")
        quarter, three = (
            value.rolling_quantile(share, "linear", window_size=_WINDOW, min_samples=_FEWEST).shift(1)
            for share in (0.25, 0.75)
        )
        usual = value.rolling_median(_WINDOW, min_samples=_FEWEST).shift(1)
        judged = curve.rows.with_columns(usual=usual, width=three - quarter)
        judged = judged.with_columns(
            spread=pl.max_horizontal(pl.col("width") / _IQR_OF_NORMAL, _FLOOR * pl.col("usual").abs())
        )
        far = judged.select(
            at=pl.int_range(pl.len()),
            far=(value > pl.col("usual") + _FAR * pl.col("spread"))
            & (value > _HIGH * pl.col("usual"))
            & (pl.col("usual") > 0),
        ).filter(pl.col("far"))["at"]
        found: list[tuple[object, ...]] = []
        free = 0
        for at in far:
            if at < free:
                continue
            usual, spread = judged["usual"][at], judged["spread"][at]
            later = judged["value"][at:]
            back = (later <= usual + _BACK * spread).arg_max() or 0
            recovered = back > 0
            length = back if recovered else len(later)
            free = at + length
            top = float(later[:length].max() or 0.0)  # type: ignore[arg-type]
            place = judged["line"][at], judged["step"][at]
            found.append((*curve.key, *place, top, usual, spread, top / usual, length, recovered))
        rows += [(*row, len(found), judged.height) for row in found]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
