"""How far the tensors of two runs reach: the largest absolute value in each layer that both print.

Layers are held against each other one by one; the mean of the logarithm of before / after has a Student interval over
the layers. It takes them as independent, which neighbours are not quite.
"""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import polars as pl

from postmortem.compare.comparison import Reach, ScopeReach
from postmortem.report.numbers import figure, interval
from postmortem.student import two_sided

if TYPE_CHECKING:
    from postmortem.run import Run


def reaches(before: Run, after: Run) -> list[Reach]:
    """A row per tensor that both runs print with finite values, in the order of the first log."""
    first, second = (_largest(run) for run in (before, after))
    both = first.join(second, on=["name", "op", "scope"], nulls_equal=True, maintain_order="left")
    found = []
    for (name, op), rows in both.group_by("name", "op", maintain_order=True):
        scopes = [
            ScopeReach(scope=scope, before=one, after=other)
            for scope, one, other in rows.select("scope", "value", "value_right").iter_rows()
        ]
        found.append(_reach(str(name), None if op is None else str(op), scopes))
    return found


def _largest(run: Run) -> pl.DataFrame:
    """Columns name, op, scope and value, a row per tensor and scope."""
    return (
        run.tensors.with_columns(pl.max_horizontal(pl.col("min").abs(), pl.col("max").abs()).alias("value"))
        .filter(pl.col("value").is_finite(), pl.col("value") > 0)
        .group_by(pl.col("name").fill_null("tensor"), "op", pl.col("scope").fill_null(""), maintain_order=True)
        .agg(pl.col("value").max())
    )


def _reach(tensor: str, op: str | None, scopes: list[ScopeReach]) -> Reach:
    logs = [log(scope.before) - log(scope.after) for scope in scopes]
    middle = fmean(logs)
    low = high = moved = None
    if len(logs) > 1:
        half = two_sided(len(logs) - 1) * stdev(logs) / sqrt(len(logs))
        low, high = _power(middle - half), _power(middle + half)
        moved = not low <= 1 <= high
        times = f"{figure(float(f'{_power(middle):.3g}'))} ({interval(*(float(f'{end:.3g}') for end in (low, high)))})"
        because = f"before over after is {times} over {len(logs)} layers or stages"
        because += "" if moved else ": it need not have moved at all"
    else:
        because = f"one layer or stage: {figure(scopes[0].before)}, then {figure(scopes[0].after)}, and no spread"
    return Reach(
        tensor=tensor,
        op=op,
        scopes=scopes,
        factor=_power(middle),
        factor_low=low,
        factor_high=high,
        moved=moved,
        because=because,
    )


def _power(value: float) -> float:
    """exp, whose result may have no place among floats."""
    try:
        return exp(value)
    except OverflowError:
        return float("inf")
