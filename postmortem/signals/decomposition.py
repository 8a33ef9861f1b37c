"""What weight each term has in a total, as far as the steps carry it at which they are printed.

total = sum of weight * term + rest. Least squares over all printed terms gives the weights and their 95 % intervals
if the rest is constant; a fit that makes the rest or a weight negative contradicts that, and is not given. No term
being negative, weight <= total / term at every step bounds a weight whatever the rest does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.objectives import is_loss
from postmortem.signals._curves import keep
from postmortem.student import two_sided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COLUMNS: Final[dict[str, pl.DataType]] = {
    "term": pl.String(),
    "total": pl.String(),
    "line": pl.Int64(),
    "lines": pl.List(pl.Int64()),
    "pairs": pl.Int64(),  # steps at which the total and all the terms are printed
    "others": pl.String(),  # the other terms of the same fit
    "weight": pl.Float64(),
    "weight_low": pl.Float64(),
    "weight_high": pl.Float64(),
    "bound": pl.Float64(),  # the weight cannot exceed this while no term is negative
    "rest": pl.Float64(),  # in the total's unit, if it is constant
    "share": pl.Float64(),  # weight * mean term / mean total
    "share_low": pl.Float64(),
    "share_high": pl.Float64(),
}
_STEP: Final = ["job", "epoch", "step"]
#: As much of the total as rounding in print may make the rest negative.
_ROUNDING: Final = 0.01
_SHOWN: Final = 20
#: Values of the total: more of them narrow no interval that matters.
_ENOUGH: Final = 50_000
_COLUMNS: Final = (*_STEP, "line", "value", "split")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per term `*_loss` of a `loss` that can be fitted: two more steps than terms, terms that vary."""
    held = by_name(frames["metrics"])
    trained = (
        pl.col("step").is_not_null() & pl.col("value").is_finite() & (pl.col("split").fill_null("train") == "train")
    )
    train = {name: keep(held.of([name], _COLUMNS), trained) for name in filter(is_loss, held)}
    names = [name for name, printed in train.items() if name != "loss" and not printed.is_empty()]
    # a term that is printed at fewer steps than another is fitted with those that are printed there too
    for terms in ([names, *([name] for name in names)]) if len(names) > 1 else [names]:
        rows = _fit(_beginning(train), terms) if "loss" in train else []
        if rows:
            return pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return pl.DataFrame(schema=COLUMNS)


def _beginning(train: Mapping[str, pl.DataFrame]) -> Mapping[str, pl.DataFrame]:
    """As many values as are enough to fit, up to the same line."""
    lines = train["loss"]["line"]
    if len(lines) <= _ENOUGH:
        return train
    end = lines.sort()[_ENOUGH]
    return {name: printed.filter(pl.col("line") < end) for name, printed in train.items()}


@np.errstate(all="ignore")  # squares of what a log may print overflow; then nothing is fitted
def _fit(train: Mapping[str, pl.DataFrame], terms: list[str]) -> list[tuple[object, ...]]:
    table = train["loss"].unique(_STEP, keep="first", maintain_order=True).select(*_STEP, total="value")
    for term in terms:
        printed = train[term].unique(_STEP, keep="first", maintain_order=True)
        printed = printed.select(*_STEP, pl.col("value").alias(term), pl.col("line").alias(f"{term} line"))
        table = table.join(printed, on=_STEP, nulls_equal=True, maintain_order="left")
    x, y = table.select(terms).to_numpy(), table["total"].to_numpy()
    if not terms or len(y) < len(terms) + 2 or not np.isfinite((x.T @ x).sum() + y @ y):
        return []
    if np.linalg.matrix_rank(x - x.mean(axis=0)) < len(terms):
        return []
    weights, halves, rest = fit(x, y)
    if not (np.isfinite(weights).all() and np.isfinite(halves).all() and np.isfinite(rest)):
        return []
    if rest < -_ROUNDING * abs(y.mean()) or (weights + halves < 0).any():
        return []
    rows: list[tuple[object, ...]] = []
    for index, term in enumerate(terms):
        column = x[:, index]
        weight, half = float(weights[index]), float(halves[index])
        scale = float(column.mean() / y.mean())
        lines = table[f"{term} line"].to_list()
        positive = column > 0
        bound = float((y[positive] / column[positive]).min()) if positive.any() else None
        interval = (weight, weight - half, weight + half)
        others = ", ".join(other for other in terms if other != term)
        shares = (value * scale for value in interval)
        rows.append((term, "loss", lines[0], lines[:_SHOWN], len(y), others, *interval, bound, rest, *shares))
    return rows


def fit(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Slopes, half the widths of their 95 % t-intervals, and intercept of least squares. `x` is (points, terms)."""
    dx = x - x.mean(axis=0)
    dy = y - y.mean()
    slopes, *_ = np.linalg.lstsq(dx, dy)
    residual = dy - dx @ slopes
    freedom = len(y) - x.shape[1] - 1
    covariance = np.linalg.inv(dx.T @ dx) * float(residual @ residual) / freedom
    halves = two_sided(freedom) * np.sqrt(np.diag(covariance))
    return slopes, halves, float(y.mean() - slopes @ x.mean(axis=0))


def line_fit(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope, half the width of its 95 % t-interval, and intercept of a line through three or more points."""
    slopes, halves, intercept = fit(x[:, None], y)
    return float(slopes[0]), float(halves[0]), intercept
