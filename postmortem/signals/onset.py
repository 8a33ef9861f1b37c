"""What stood before a loss or a norm that stops being finite: its growth, the learning rate, the loss scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._curves import KEY, curves, keep, noise

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    **KEY,
    "line": pl.Int64(),  # of the first value that is not finite
    "lines": pl.List(pl.Int64()),  # of the last finite value and of the first that is not
    "step": pl.Int64(),
    "kind": pl.String(),  # nan | inf
    "before": pl.Int64(),  # finite values before it
    "bad": pl.Int64(),  # values that are not finite from there to the end
    "finite_after": pl.Int64(),
    "usual": pl.Float64(),  # median of up to 30 finite values before the last three
    "just_before": pl.Float64(),  # median of the last three finite values
    "growth": pl.Float64(),  # just_before / usual
    "sigmas": pl.Float64(),  # (just_before - usual) / noise
    "lr": pl.Float64(),  # printed last before it
    "loss_scale": pl.Float64(),
    "grad_norm": pl.Float64(),  # before this line, not of it
}
_NEAR: Final = 3
_WINDOW: Final = 30
_FLOOR: Final = 1e-3


@np.errstate(all="ignore")  # differences of what a log may print overflow
def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per curve of a loss, a gradient norm or a parameter norm with a value that is not finite."""
    rows = []
    held = by_name(frames["metrics"])
    beside = {
        name: keep(
            held.of([name], ["line", "value", "meaning"]), (pl.col("meaning") == "value") & pl.col("value").is_finite()
        )
        for name in ("lr", "loss_scale", "grad_norm")
    }
    for curve in curves(frames, ("grad_norm", "param_norm", "perplexity"), losses=True):
        good = np.isfinite(curve.values)
        if good.all():
            continue
        at = int(good.argmin())
        value, line = curve.values[at], curve.rows["line"][at]
        earlier = curve.values[:at]
        near, usual_values = earlier[-_NEAR:], earlier[:-_NEAR][-_WINDOW:]
        usual = float(np.median(usual_values)) if len(usual_values) else None
        just = float(np.median(near)) if len(near) else None
        spread = max(noise(usual_values), _FLOOR * abs(usual)) if usual and len(usual_values) > _NEAR else None
        said = [_last(table, line, side="left" if name == "grad_norm" else "right") for name, table in beside.items()]
        rows.append((
            *curve.key,
            line,
            [curve.rows["line"][at - 1], line] if at else [line],
            curve.rows["step"][at],
            "nan" if np.isnan(value) else "inf",
            at,
            int((~good).sum()),
            int(good[at:].sum()),
            usual,
            just,
            just / usual if usual and just is not None else None,
            (just - usual) / spread if spread and just is not None and usual is not None else None,
            *said,
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _last(table: pl.DataFrame, line: int, side: Literal["left", "right"]) -> float | None:
    """The last value before a line, or, from the right, up to it."""
    rows = table if table["line"].is_sorted() else table.sort("line")
    place = rows["line"].search_sorted(line, side)
    return float(rows["value"][place - 1]) if place else None
