"""What stands for the loss in a log that prints none under a name of one: a cost, a squared error, a number of a split.

Rules ask for a loss by its name. What a run minimises is one, whatever it is called where it is printed.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from postmortem import objectives

LOSS: Final = "loss"
#: Names of what is minimised, the plainest first: of several in one log the later ones are measures of the task.
_MINIMISED: Final = (
    "cost", "criterion", "cross_entropy", "xent", "bce", "nll", "nce", "ctc", "bpc", "huber",
    "smooth_l1", "mse", "l1", "mae", "rmse",
)  # fmt: skip
#: Beside a divergence the others are terms too, and what is minimised is a sum that nobody prints.
_DIVERGENCES: Final = frozenset({"kl", "kld"})
#: An error, which in a classifier is a share of the answers.
_ERROR: Final = re.compile(r"(\w+_)?err(or)?s?$")
#: Numbers that have no name but their split's, `train=2.5 valid=2.25`: beside an accuracy they are losses, and where
#: they fall from above 1, which no share is.
_TRAINED: Final = frozenset({"train", "training", "tr", "trn"})
_EVALUATED: Final = frozenset({"valid", "val", "va", "validation", "dev", "te", "test", "heldout"})
_FEWEST: Final = 2
#: Of the first value, at the most, for the least of a column that may be a loss.
_FALLEN: Final = 0.9
#: How the numbers of a table without a heading are called.
_COLUMN: Final = "column_"


class StandIn(NamedTuple):
    """The metrics with their loss under the name of one, and how the log names it: None where that is no other."""

    metrics: pl.DataFrame
    named: str | None


def named(metrics: pl.DataFrame) -> StandIn:
    """`metrics`, those that stand for the loss as `loss`. Agents and adversaries minimise none as a whole."""
    names = set(metrics["name"].unique().drop_nulls())
    if any(objectives.is_loss(name) for name in names) or objectives.of(names) or objectives.is_game(names):
        return StandIn(metrics, None)
    if names & _DIVERGENCES:
        return StandIn(metrics, None)
    found = next((name for name in _MINIMISED if name in names and _is_trained(metrics, name)), None) or next(
        (name for name in sorted(names) if _ERROR.match(name) and _is_trained(metrics, name, above=1.0)), None
    )
    if found is None and len(names) == 1 and next(iter(names)).startswith(_COLUMN) and _may_be_a_loss(metrics):
        found = next(iter(names))  # the only number that a log prints beside its counter
    if found is not None:
        return StandIn(_renamed(metrics, [found]), found)
    if names & _TRAINED and names & _EVALUATED and ("accuracy" in names or _falls(metrics)):
        return StandIn(_renamed(metrics, [*_TRAINED, *_EVALUATED]), None)
    if names <= _TRAINED and len(names) == 1 and _falls(metrics):
        return StandIn(_renamed(metrics, [*names]), None)
    return StandIn(metrics, None)


def _renamed(metrics: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return metrics.with_columns(name=pl.when(pl.col("name").is_in(names)).then(pl.lit(LOSS)).otherwise("name"))


def _may_be_a_loss(metrics: pl.DataFrame) -> bool:
    """Whether numbers that nothing names are none below 0, and have fallen, or are not finite: a score rises."""
    values = metrics.sort("line", "record")["value"].drop_nulls().to_numpy()
    finite = values[np.isfinite(values)]
    if not len(finite):
        return True
    least = float(finite.min())
    return least >= 0 and (least <= _FALLEN * float(finite[0]) or len(finite) < len(values))


def _falls(metrics: pl.DataFrame) -> bool:
    """Whether the training's numbers without a name go down, from above 1."""
    of_it = metrics.filter(pl.col("name").is_in(_TRAINED), pl.col("value").is_finite()).sort("line", "record")["value"]
    return len(of_it) >= _FEWEST and of_it[0] > max(of_it[-1], 1.0)


def _is_trained(metrics: pl.DataFrame, name: str, above: float | None = None) -> bool:
    """Whether the training prints it more than once, at some point above a number."""
    of_it = metrics.filter(
        pl.col("name") == name,
        pl.col("split").fill_null("train") == "train",
        pl.col("meaning").is_in(["value", "running_mean"]),
        pl.col("scope").is_null(),
    )["value"]
    return len(of_it) >= _FEWEST and (above is None or bool((of_it.is_finite() & (of_it > above)).any()))


def said(rows: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """Rows of evidence that name the loss as their log does."""
    if name is not None:
        for row in rows:
            row |= {column: name for column in ("metric", "name", "source_name") if row.get(column) == LOSS}
    return rows
