"""How long an attempt had said nothing when it ended, beside the pauses that are usual for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from postmortem import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "attempt": pl.Int64(),
    "last_attempt": pl.Boolean(),
    "line": pl.Int64(),  # of the last progress with a time stamp
    "end_line": pl.Int64(),  # of what ended it
    "ended_by": pl.String(),
    "step": pl.Int64(),  # the last one
    "silent": pl.Float64(),  # seconds from the last progress to the end
    "usual": pl.Float64(),  # seconds between two lines of progress, median
    "longest": pl.Float64(),  # the longest such pause before
    "pauses": pl.Int64(),  # how many of them
    "zones": pl.Boolean(),  # two clocks may differ by their zones, and do not by much else
}
#: Pauses further back say no more of what is usual.
_ENOUGH: Final = 2_000
#: Zones differ by quarters of an hour.
_QUARTER: Final = 900.0


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per attempt that was ended at a known time after progress at known times."""
    ends = _ends(frames)
    if ends.is_empty():
        return pl.DataFrame(schema=COLUMNS)
    told = frames["progress"].filter(pl.col("ts").is_not_null())
    attempts = frames["attempts"]
    places = ends["line"].search_sorted(attempts["line"], "left")
    begins = told["line"].search_sorted(attempts["line"], "left")
    afters = told["line"].search_sorted(ends["line"], "right")
    rows = []
    for (attempt, last), place, begin in zip(
        attempts.select("attempt", "last").iter_rows(), places, begins, strict=True
    ):
        if place == ends.height:
            continue
        end_line, kind, ended, scheduler = ends.row(place)
        within = told.slice(begin, afters[place] - begin).tail(_ENOUGH)
        seconds = within.select(seconds=clock.seconds("ts"))["seconds"].to_numpy()  # nan where it is no time
        known = np.flatnonzero(~np.isnan(seconds))
        pauses = np.diff(seconds[known])
        pauses = pauses[pauses > 0]
        if not len(pauses):
            continue
        silent, usual = ended - float(seconds[known[-1]]), float(np.median(pauses))
        beside = min(abs(silent) % _QUARTER, _QUARTER - abs(silent) % _QUARTER)
        zones = scheduler and abs(silent) > _QUARTER / 2 and beside < max(3 * usual, 60.0)
        counted = np.flatnonzero(within["step"].is_not_null().to_numpy() & ~np.isnan(seconds))
        step = within["step"][int(counted[-1])] if len(counted) else None
        reached = (within["line"][int(known[-1])], end_line, kind, step)
        rows.append((attempt, last, *reached, silent, usual, float(pauses.max()), len(pauses), zones))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _ends(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Line, kind and second of what ended a run; whether the scheduler's clock told it."""
    kinds = ["time_limit", "cancelled", "preempted", "run_limit", "killed", "nccl_timeout", "nccl_heartbeat_timeout"]
    end = pl.col("fields").str.json_path_match("$.end")
    return (
        frames["events"]
        .filter(pl.col("kind").is_in(kinds))
        .with_columns(at=pl.coalesce(end, "ts"), scheduler=end.is_not_null())
        .with_columns(seconds=clock.seconds("at"))
        .drop_nulls("seconds")
        .sort("line")
        .select("line", "kind", "seconds", "scheduler")
    )
