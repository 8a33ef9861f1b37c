"""Lines of progress that stand below the exception that ended their process, since they had waited in its buffer.

Where standard output is a file, a program's own lines are written when a buffer is full, or at the end. Its traceback
is written at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem.frames import FRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a buffer of Python's standard output holds, in bytes.
_BUFFER: Final = 8192
#: Nobody caught what came out of the outermost frame.
_OUTERMOST: Final = ("in <module>", "in _run_module_as_main")
#: A script that catches its own failure says so in these lines before the traceback.
_SAID_WITHIN: Final = 3
#: What a process that an exception ended does not print.
_GOES_ON: Final = ("completed", "run_started", "shell_started", "container_restarted", "workers_restarted", "exception")


def in_turn(progress: pl.DataFrame, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`progress`, its rows that were written late at the line above the traceback."""
    begins, ends = _fatal(frames)
    late = (pl.col("line") > ends) if ends is not None else pl.lit(value=False)
    after = progress.filter(late)
    if after.is_empty() or after["ts"].null_count() < after.height or after["rank"].null_count() < after.height:
        return progress
    before = progress.filter(pl.col("line") < begins)
    if not (_continues(before, after) if before.height else _said(frames["events"], begins)):
        return progress
    told = progress.with_columns(line=pl.when(late).then(max(begins - 1, 1)).otherwise("line"))
    return told.sort("line", maintain_order=True)  # a bar may stand on the traceback's own line


def _fatal(frames: Mapping[str, pl.DataFrame]) -> tuple[int, int | None]:
    """Where the log's last traceback begins and where its exception stands, if no more than a buffer follows it."""
    events = frames["events"].sort("line", "record", maintain_order=True)
    last = events.filter(pl.col("kind") == "exception").tail(1)
    if last.is_empty():
        return 0, None
    ends = int(last["line"][0])
    begun = events.filter(pl.col("kind") == "traceback", pl.col("line") < ends).tail(1)
    if begun.is_empty():
        return 0, None
    begins = int(begun["line"][0])
    frame = events.filter(pl.col("kind") == "stack_frame", pl.col("line").is_between(begins, ends)).head(1)["message"]
    caught = frame.is_empty() or not str(frame[0]).rstrip().endswith(_OUTERMOST)
    told = max((int(at) for name in FRAMES if isinstance(at := frames[name]["offset"].max(), int)), default=0)
    goes_on = events.filter(pl.col("kind").is_in(_GOES_ON), pl.col("line") > ends).height > 0
    if (caught and not _said(events, begins)) or goes_on or told - int(last["offset"][0]) > _BUFFER:
        return begins, None
    return begins, ends


def _said(events: pl.DataFrame, begins: int) -> bool:
    """Whether a script says above the traceback that its training has failed."""
    near = events.filter(pl.col("kind") == "exception", pl.col("line").is_between(begins - _SAID_WITHIN, begins - 1))
    return any(json.loads(fields or "{}").get("cause") == "training_failed" for fields in near["fields"])


def _continues(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Whether the counter goes on where it was."""
    for name in ("epoch", "step"):
        last, first = before[name].drop_nulls().tail(1), after[name].drop_nulls().head(1)
        if len(last) and len(first) and last[0] != first[0]:
            return bool(first[0] > last[0])
    return False
