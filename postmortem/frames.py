"""The tables that everything downstream reads: names, types, units and meaning of each column.

This is the only place that spells a column. Frames are long: one row a value. Row order means nothing;
`line` and `record` say where a row came from. A null says "the log does not tell".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Where a row comes from; the first columns of every frame.
PLACE: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "file": pl.String(),  # the log's path as it was given
        "job": pl.String(),  # the scheduler's job id
        "line": pl.Int64(),  # physical line, from 1
        "record": pl.Int64(),  # place inside the line, from 0: a \r bar holds hundreds
        "offset": pl.Int64(),  # bytes from the start of the file to the start of the line
        "ts": pl.String(),  # the time stamp as printed
        "rank": pl.Int64(),  # the process that printed the line
        "step": pl.Int64(),
        "step_unit": pl.String(),  # update | micro_batch | batch_of_epoch | unknown
        "epoch": pl.Float64(),
    }
)

#: Columns beyond PLACE, frame by frame.
OWN: Final[Mapping[str, Mapping[str, pl.DataType]]] = MappingProxyType(
    {
        "metrics": MappingProxyType(
            {
                "name": pl.String(),  # canonical: loss, grad_norm, lr, kd_loss...
                "value": pl.Float64(),
                "text": pl.String(),  # the number as printed
                "meaning": pl.String(),  # value | running_mean | placeholder | configured
                "split": pl.String(),  # train | eval | a name the log gives
                "source_name": pl.String(),  # the trainer's own name
                "scope": pl.String(),  # what the value is of: a parameter, a layer, a test; null: the run
            }
        ),
        "tensors": MappingProxyType(
            {
                "scope": pl.String(),  # layer or stage
                "name": pl.String(),
                "kind": pl.String(),  # activation | parameter | gradient | statistic
                "op": pl.String(),  # what produced it: normalise | l2 | softmax | residual | cat...
                "min": pl.Float64(),
                "max": pl.Float64(),
                "mean": pl.Float64(),
                "std": pl.Float64(),
                "rms": pl.Float64(),
                "norm": pl.Float64(),
                "min_text": pl.String(),  # as printed: its digits carry the precision
                "max_text": pl.String(),
                "numel": pl.Int64(),
                "shape": pl.String(),  # "8x1200x384"
                "has_nan": pl.Boolean(),
                "has_inf": pl.Boolean(),
                "status": pl.String(),  # ok | issue
            }
        ),
        "events": MappingProxyType(
            {
                "kind": pl.String(),
                "severity": pl.String(),  # info | warning | error | fatal, as the log says
                "message": pl.String(),
                "fields": pl.String(),  # a JSON object of the event's own fields
            }
        ),
        "settings": MappingProxyType(
            {
                "key": pl.String(),  # canonical where known: eps, lr, temperature...
                "value": pl.String(),
                "number": pl.Float64(),
                "origin": pl.String(),  # log | reconstructed | proposed | user | file name
                "source_name": pl.String(),
            }
        ),
        "jobs": MappingProxyType(
            {
                "step_id": pl.String(),
                "node": pl.String(),
                "state": pl.String(),  # RUNNING | COMPLETED | FAILED | CANCELLED | TIMEOUT | OUT_OF_MEMORY...
                "exit_code": pl.Int64(),
                "signal": pl.Int64(),
                "start": pl.String(),
                "end": pl.String(),
                "limit": pl.String(),
                "origin": pl.String(),  # log | file name | sacct | seff | scontrol
            }
        ),
    }
)

FRAMES: Final[tuple[str, ...]] = tuple(OWN)


def schema(frame: str) -> dict[str, pl.DataType]:
    """All columns of `frame` with their types, place first. KeyError for a frame that does not exist."""
    return {**PLACE, **OWN[frame]}


def build(frame: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """A frame of `rows`; a column that a row lacks is null. polars raises on a column it does not know."""
    return pl.DataFrame(rows, schema=schema(frame), orient="row")
