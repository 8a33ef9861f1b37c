"""The lines that tell how far a training has come: those of a loss, a learning rate, a pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._late import in_turn

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "line": pl.Int64(),
    "rank": pl.Int64(),
    "step": pl.Int64(),
    "epoch": pl.Float64(),
    "ts": pl.String(),
}
#: What only a training that makes steps prints, or a study that makes trials.
_TOLD_BY: Final = (
    "loss", "lm_loss", "lr", "grad_norm", "throughput", "step_time", "accuracy", "perplexity", "loss_scale",
    "objective_value",
)  # fmt: skip
#: Below any step.
_NONE: Final = -(2**63)
_COLUMNS: Final = ("line", "rank", "step", "epoch", "ts", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per line and rank, in order of the lines; a line with several steps, as of a bar, has its last.

    What waited in a buffer while an exception was written stands at the line above that.
    """
    rows = by_name(frames["metrics"]).of(_TOLD_BY, _COLUMNS)
    told = np.flatnonzero((rows["meaning"] != "configured").fill_null(value=False).to_numpy())
    if not len(told):
        return pl.DataFrame(schema=COLUMNS)
    place = rows["line"].to_numpy()[told]
    if rows["rank"].null_count() < rows.height:
        rank = rows["rank"].fill_null(-1)
        ranks = rank.unique().sort().to_numpy()  # few, and so found sooner than by sorting all rows
        place = place * len(ranks) + np.searchsorted(ranks, rank.to_numpy()[told])
    # each metric has its lines in order, so that these are merged more than sorted
    order = np.argsort(place, kind="stable")
    firsts = np.append(0, np.flatnonzero(np.diff(place[order])) + 1)
    told = told[order]
    step = np.maximum.reduceat(rows["step"].fill_null(_NONE).to_numpy()[told], firsts)
    first = rows.select("line", "rank", "epoch", "ts")[pl.Series(told[firsts])]
    told_in_order = first.select("line", "rank", pl.Series("step", step).replace(_NONE, None), "epoch", "ts")
    return in_turn(told_in_order, frames)
