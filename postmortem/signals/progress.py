"""The lines that tell how far a training has come: those of a loss, a learning rate, a pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem.metrics import by_name
from postmortem.signals._curves import keep

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "line": pl.Int64(),
    "rank": pl.Int64(),
    "step": pl.Int64(),
    "ts": pl.String(),
}
#: What only a training that makes steps prints.
_TOLD_BY: Final = (
    "loss", "lm_loss", "lr", "grad_norm", "throughput", "step_time", "accuracy", "perplexity", "loss_scale",
)  # fmt: skip
#: Below any step.
_NONE: Final = -(2**63)
_COLUMNS: Final = ("line", "rank", "step", "ts", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per line and rank, in order of the lines; a line with several steps, as of a bar, has its last."""
    told = keep(by_name(frames["metrics"]).of(_TOLD_BY, _COLUMNS), pl.col("meaning") != "configured")
    if told.is_empty():
        return pl.DataFrame(schema=COLUMNS)
    place = told["line"].to_numpy()
    if told["rank"].null_count() < told.height:
        ranks, rank = np.unique(told["rank"].fill_null(-1).to_numpy(), return_inverse=True)
        place = place * len(ranks) + rank
    # each metric has its lines in order, so that these are merged more than sorted
    order = np.argsort(place, kind="stable")
    firsts = np.append(0, np.flatnonzero(np.diff(place[order])) + 1)
    step = np.maximum.reduceat(told["step"].fill_null(_NONE).to_numpy()[order], firsts)
    first = told[pl.Series(order[firsts])]
    return first.select("line", "rank", pl.Series("step", step).replace(_NONE, None), "ts")
