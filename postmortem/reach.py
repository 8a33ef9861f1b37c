"""How far a log has come, by the counter that it prints: a run that ended sooner says nothing of what came later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.replay.protocol import Reach

if TYPE_CHECKING:
    from postmortem.run import Run

#: What a log prints of a metric while it trains; not what it was configured to, nor what stands for none.
MEANINGS: Final = ("value", "running_mean")
#: A counter that starts again with each epoch says nothing of how far a run is.
_OF_EPOCH: Final = "batch_of_epoch"
#: What a run says that has done what it was to do: it need not come further.
_DONE: Final = ("completed", "early_stopped")


def of(metrics: pl.DataFrame, line: int | None = None) -> Reach:
    """The furthest that a log has counted, up to a line if one is given: in steps, else in epochs, else not at all."""
    rows = _trained(metrics)
    counter = _counter(rows)
    rows = rows if line is None else rows.filter(pl.col("line") <= line)
    furthest = None if counter is None else _furthest(rows, counter)
    return Reach(counter=counter if furthest is not None else None, count=furthest)


def short(run: Run, wanted: Reach) -> str:
    """Why a log does not come as far, in words; empty where it does, or says that it is complete."""
    rows = _trained(run.metrics)
    if rows.is_empty():
        return "the log prints no value of a training"
    if wanted.counter is None or wanted.count is None or run.events["kind"].is_in(_DONE).any():
        return ""
    furthest = _furthest(rows, wanted.counter)
    if furthest is None:
        return f"the log counts no {wanted.counter}s"
    if furthest < wanted.count:
        return f"the log ends at {wanted.counter} {furthest:,.6g}, before {wanted.count:,.6g}"
    return ""


def _trained(metrics: pl.DataFrame) -> pl.DataFrame:
    return metrics.filter(pl.col("meaning").is_in(MEANINGS))


def _counter(rows: pl.DataFrame) -> str | None:
    if rows.filter(pl.col("step").is_not_null(), pl.col("step_unit").ne_missing(_OF_EPOCH)).height:
        return "step"
    return "epoch" if rows["epoch"].drop_nulls().len() else None


def _furthest(rows: pl.DataFrame, counter: str) -> float | None:
    if counter == "step":
        rows = rows.filter(pl.col("step_unit").ne_missing(_OF_EPOCH))
    furthest = rows[counter].max()
    return float(furthest) if isinstance(furthest, int | float) else None
