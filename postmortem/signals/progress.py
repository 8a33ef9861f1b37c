"""The lines that tell how far a training has come: those of a loss, a learning rate, a pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
_COLUMNS: Final = ("line", "rank", "step", "ts", "meaning")


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per line and rank, in order of the lines; a line with several steps, as of a bar, has its last."""
    told = keep(by_name(frames["metrics"]).of(_TOLD_BY, _COLUMNS), pl.col("meaning") != "configured")
    return (
        told.lazy()
        .group_by("line", "rank")
        .agg(pl.col("step").max(), pl.col("ts").first())
        .sort("line")
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
        .collect()
    )
