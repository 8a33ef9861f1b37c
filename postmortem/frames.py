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

TEXT: Final = pl.String()

#: Where a row comes from; the first columns of every frame.
PLACE: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "file": TEXT,  # the log's path as it was given
        "job": TEXT,  # the scheduler's job id
        "line": pl.Int64(),  # physical line, from 1
        "record": pl.Int64(),  # place inside the line, from 0: a \r bar holds hundreds
        "offset": pl.Int64(),  # bytes from the start of the file to the start of the line
        "ts": TEXT,  # the time stamp as printed
        "rank": pl.Int64(),  # the process that printed the line
        "step": pl.Int64(),
        "step_unit": TEXT,  # update | micro_batch | batch_of_epoch | unknown
        "epoch": pl.Float64(),
        "dialect": TEXT,  # the dialect that read the row: its assumptions stand behind it
    }
)

#: Columns beyond PLACE, frame by frame.
OWN: Final[Mapping[str, Mapping[str, pl.DataType]]] = MappingProxyType(
    {
        "metrics": MappingProxyType(
            {
                "name": TEXT,  # canonical: loss, grad_norm, lr, kd_loss...
                "value": pl.Float64(),
                "text": TEXT,  # the number as printed
                "meaning": TEXT,  # value | running_mean | sum | placeholder | configured
                "split": TEXT,  # train | eval | a name the log gives
                "source_name": TEXT,  # the trainer's own name
                "scope": TEXT,  # what the value is of: a parameter, a layer, a test; null: the run
            }
        ),
        "tensors": MappingProxyType(
            {
                "scope": TEXT,  # layer or stage
                "name": TEXT,
                "kind": TEXT,  # activation | parameter | gradient | statistic
                "op": TEXT,  # what produced it: normalise | l2 | softmax | residual | cat...
                "min": pl.Float64(),
                "max": pl.Float64(),
                "mean": pl.Float64(),
                "std": pl.Float64(),
                "rms": pl.Float64(),
                "norm": pl.Float64(),
                "min_text": TEXT,  # as printed: its digits carry the precision
                "max_text": TEXT,
                "numel": pl.Int64(),
                "shape": TEXT,  # "8x1200x384"
                "has_nan": pl.Boolean(),
                "has_inf": pl.Boolean(),
                "status": TEXT,  # ok | issue
            }
        ),
        "events": MappingProxyType(
            {
                "kind": TEXT,
                "severity": TEXT,  # info | warning | error | fatal, as the log says
                "message": TEXT,
                "fields": TEXT,  # a JSON object of the event's own fields
            }
        ),
        "settings": MappingProxyType(
            {
                "key": TEXT,  # canonical where known: eps, lr, temperature...
                "value": TEXT,
                "number": pl.Float64(),
                "origin": TEXT,  # log | reconstructed
                "source_name": TEXT,
            }
        ),
        "jobs": MappingProxyType(
            {
                "step_id": TEXT,
                "node": TEXT,
                "state": TEXT,  # RUNNING | COMPLETED | FAILED | CANCELLED | TIMEOUT | OUT_OF_MEMORY...
                "exit_code": pl.Int64(),
                "signal": pl.Int64(),
                "start": TEXT,
                "end": TEXT,
                "limit": TEXT,
                "job_name": TEXT,
                "user": TEXT,
                "partition": TEXT,
                "reason": TEXT,  # why it waits or ended, in the scheduler's words
                "nodes": pl.Int64(),  # allocated
                "cpus": pl.Int64(),  # allocated, over all nodes
                "gpus": pl.Int64(),  # allocated, over all nodes
                "elapsed_s": pl.Float64(),  # seconds since the start
                "limit_s": pl.Float64(),  # seconds; inf: unlimited
                "cpu_s": pl.Float64(),  # seconds of CPU time used, over all tasks
                "ave_cpu_s": pl.Float64(),  # seconds of CPU time used, mean over the tasks of a step
                "cpu_efficiency": pl.Float64(),  # share of the allocated CPU time
                "max_rss_bytes": pl.Int64(),  # of the largest task of a step; of seff: of the job
                "memory_bytes": pl.Int64(),  # allocated or else asked for, over all nodes
                "memory_efficiency": pl.Float64(),  # share of memory_bytes
                "origin": TEXT,  # log | file name | sacct | seff | scontrol
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
