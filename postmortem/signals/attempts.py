"""The runs that one log holds: a job that fails and is started again often writes to the same file.

A new attempt begins where a start is announced, or training goes on, after something that ends a run, where a start is
announced and the step counter goes back, and where a shell starts a program below what another one has left. A training
that goes on after an exception in the same process was not ended by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem.frames import FRAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final[dict[str, pl.DataType]] = {
    "attempt": pl.Int64(),  # from 0
    "line": pl.Int64(),  # the first
    "last_line": pl.Int64(),  # the last one that any frame tells of
    "last": pl.Boolean(),  # the log's last attempt
    "first_step": pl.Int64(),  # of the training's progress, null without any
    "last_step": pl.Int64(),
    "last_epoch": pl.Float64(),  # as printed
    "progress": pl.Int64(),  # lines that tell of the training's progress
    "ended_by": pl.String(),  # kind of the first event that ends it; null: nothing does
    "ended_line": pl.Int64(),
}
#: What ends a process or a job. Whether it is the cause is another question.
ENDS: Final = frozenset({
    "exception", "segfault", "bus_error", "illegal_instruction", "heap_corrupted", "native_exception",
    "fatal_python_error", "signal_fatal", "process_aborted", "process_killed", "cuda_error", "children_failed",
    "worker_failed", "task_failed", "task_signalled", "launcher_failed", "step_failed", "out_of_memory", "time_limit",
    "run_limit", "cpu_limit", "scheduler_limit", "cancelled", "killed", "preempted", "evicted", "node_lost",
    "node_memory_error", "nan_terminated", "completed", "job_failed", "job_completed",
})  # fmt: skip
#: What a job prints once, at its beginning.
_STARTS: Final = frozenset({"run_started", "container_restarted", "workers_restarted"})
#: What begins a training: a stage of a run that goes on, or after a failure the next one.
_ANNOUNCED: Final = "training_starts"
#: What is printed before the program starts: a failure or progress above it is an earlier run's.
_FRESH: Final = "shell_started"
#: What ends only a job that is then started anew; a script may do without the command.
_UNSTARTED: Final = "command_missing"
#: What a training may go on after, in the same process.
_SURVIVED: Final = frozenset({"exception", "completed", "cuda_error", "worker_failed"})
#: Other processes print on for some lines after one has ended.
_SLACK: Final = 5
#: One line may have waited in a buffer; a second one is progress.
_GOES_ON: Final = 2


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per attempt; a log of one run has one."""
    steps = frames["progress"]
    cuts = _cuts(frames, steps)
    told = (frames[name].select("line") for name in FRAMES)
    last_told = pl.concat(told)["line"].max()
    if not isinstance(last_told, int):
        return pl.DataFrame(schema=COLUMNS)
    ends = [*(line - 1 for line, _, _ in cuts[1:]), last_told]
    first_rows = steps["line"].search_sorted(pl.Series([line for line, _, _ in cuts]), "left")
    rows_after = steps["line"].search_sorted(pl.Series(ends), "right")
    rows = []
    for number, ((line, kind, ended), last_line) in enumerate(zip(cuts, ends, strict=True)):
        within = steps.slice(first_rows[number], rows_after[number] - first_rows[number])
        counted = within["step"].drop_nulls()
        first, last = (counted[0], counted[-1]) if len(counted) else (None, None)
        epochs = within["epoch"].drop_nulls()
        epoch = epochs[-1] if len(epochs) else None
        rows.append((number, line, last_line, number == len(cuts) - 1, first, last, epoch, len(within), kind, ended))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _cuts(frames: Mapping[str, pl.DataFrame], steps: pl.DataFrame) -> list[tuple[int, str | None, int | None]]:
    """First line of each attempt, with the kind and line of what ends it."""
    counter = _Counter(steps)
    happened = _happened(frames, counter)
    cuts: list[tuple[int, str | None, int | None]] = []
    begin, end = 1, _NO_END
    for index, (line, what, rank) in enumerate([*happened, (_NEVER, "never", None)]):
        if end.line is not None and (went_on := counter.goes_on(end, line)):
            if end.kind not in _SURVIVED:
                cuts.append((begin, end.kind, end.line))
                begin = went_on
            end = _NO_END
        if index == len(happened):
            break
        if what == _FRESH:
            cuts.append((begin, end.kind, end.line))
            begin, end = line, _NO_END
        elif what in ENDS:
            # later ends belong to the first
            end = end if end.line is not None else _End(line, what, rank)
        elif end.line is not None:
            if line > end.line + _SLACK and (rank is None or end.rank is None or rank == end.rank):
                cuts.append((begin, end.kind, end.line))
                begin, end = line, _NO_END
        elif what != _ANNOUNCED and counter.goes_back(line, begin):
            cuts.append((begin, None, None))
            begin = line
    cuts.append((begin, end.kind, end.line))
    return cuts


def _happened(frames: Mapping[str, pl.DataFrame], counter: _Counter) -> list[tuple[int, str, int | None]]:
    """Line, kind and rank of what ends or starts something. A shell's start counts between things that are told."""
    kinds = ENDS | _STARTS | {_FRESH, _UNSTARTED, _ANNOUNCED}
    others = [frames["events"].filter(pl.col("kind") != _FRESH), *(frames[name] for name in FRAMES if name != "events")]
    last_told = max((int(last) for frame in others if isinstance(last := frame["line"].max(), int)), default=None)
    events = frames["events"].filter(pl.col("kind").is_in(kinds)).select("line", "kind", "rank")
    banners = frames["settings"].filter(pl.col("key") == "driver_version").select("line")
    told = [*events.iter_rows(), *((line, "banner", None) for (line,) in banners.iter_rows())]
    told.sort(key=lambda event: event[0])
    happened, above = list[tuple[int, str, int | None]](), (0, _FRESH)
    for line, kind, rank in told:
        begins = kind == _FRESH and (above[1] != _FRESH or counter.within(above[0], line))
        begins = begins and last_told is not None and line < last_told
        if begins or kind not in {_FRESH, _UNSTARTED}:
            happened.append((line, kind, rank))
        above = (line, kind)
    return happened


class _End(NamedTuple):
    """What ended, or seemed to end, the attempt that is being read."""

    line: int | None
    kind: str | None
    rank: int | None


_NO_END: Final = _End(None, None, None)
#: Beyond the last line of any log.
_NEVER: Final = 2**62


class _Counter:
    """The lines at which a training tells its step, to see whether it goes on, or begins again."""

    def __init__(self, steps: pl.DataFrame) -> None:
        self._steps = steps
        counted = steps.drop_nulls("step")
        self._lines, self._counted = counted["line"], counted["step"]

    def goes_on(self, end: _End, before: int) -> int | None:
        """The first line of progress of the process that had ended, if there are two before a line."""
        first, last = (self._steps["line"].search_sorted(line, "right") for line in ((end.line or 0) + _SLACK, before))
        if last - first < _GOES_ON:
            return None
        after = self._steps.slice(first, last - first)
        if end.rank is not None:
            after = after.filter(pl.col("rank").is_null() | (pl.col("rank") == end.rank))
        return after["line"][0] if after.height >= _GOES_ON else None

    def within(self, begin: int, line: int) -> bool:
        """There is progress from `begin` to before `line`."""
        return self._steps["line"].search_sorted(begin) < self._steps["line"].search_sorted(line)

    def goes_back(self, line: int, begin: int) -> bool:
        """The last step from `begin` to `line` is above the first one after it."""
        place = self._lines.search_sorted(line)
        within = 0 < place < len(self._lines) and self._lines[place - 1] >= begin
        return bool(within and self._counted[place] < self._counted[place - 1])
