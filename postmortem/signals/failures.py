"""What ended a run, and what only followed: of many failures in a log the first is named, the others are its echo.

In this order: what the machine did to the process (its memory, its GPU, its node); then what happened first, a fault of
the program or an end imposed from outside; last, what one process says of another that is gone. "First" is by the
rank that torchrun's table names, else by time stamp where all have one, else by line.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from postmortem import clock
from postmortem.signals._tiers import ECHOES, ENDS, FAULTS, HARDWARE_XIDS, MACHINE, ORDER, Failure, tier_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

COLUMNS: Final[dict[str, pl.DataType]] = {
    "line": pl.Int64(),
    "kind": pl.String(),  # the event's kind
    "cause": pl.String(),  # what several exceptions have in common; of other events their kind
    "type": pl.String(),  # of an exception, without its module
    "reason": pl.String(),
    "rank": pl.Int64(),
    "step": pl.Int64(),  # the last that was logged before it
    "place": pl.String(),  # the same in words: "after step 12", "after a line of epoch 3", "before any step"
    "ts": pl.String(),
    "tier": pl.String(),  # machine | fault | end | echo
    "first": pl.Boolean(),  # the attempt's first failure, or of its chain
    "only_echoes": pl.Boolean(),  # nothing in this attempt says why
    "handled": pl.Boolean(),  # the training went on after it, or was complete: processes end in any order
    "attempt": pl.Int64(),
    "last_attempt": pl.Boolean(),
    "fields": pl.String(),  # of the event, as JSON
}
#: What the shell that runs a script says of a line of it, and what is said of a task that such a line ended.
_OF_SCRIPTS: Final = frozenset({"command_missing", "command_failed"})
_OF_TASKS: Final = frozenset({"exit_code", "task_failed", "step_failed", "job_failed", "launcher_failed"})
#: Exceptions of what an earlier line of a script should have made, loaded or activated.
_MISSING: Final = frozenset({"FileNotFoundError", "ImportError", "KeyError", "ModuleNotFoundError", "OSError"})
_CRASHES: Final = frozenset({"segfault", "bus_error", "heap_corrupted", "native_exception", "fatal_python_error"})
#: An exception that carries another one, whose own line comes next.
_WRAPPERS: Final = frozenset({"dataset_error", "replica_error", "root_errors", "training_failed"})
#: How Keras and TensorFlow begin one that says below what it is.
_WRAPPING: Final = ("in user code:", "Exception encountered when calling ", "Graph execution error:")
#: Exceptions with which programs refuse a value, and words for one that is not finite.
_REFUSALS: Final = frozenset({
    "ArithmeticError", "AssertionError", "Exception", "FloatingPointError", "InvalidArgumentError", "RuntimeError",
    "ValueError",
})  # fmt: skip
#: Causes that say where an exception came up, and not of what.
_UNSAID: Final = frozenset({None, "input_thread"})
_NOT_FINITE: Final = re.compile(
    r"\b(?:nans?|inf|infinity|infinite|non-?finite|not finite|not a number)\b", re.IGNORECASE
)
#: What threads say that go on while their process is taken down.
_TAKEN_DOWN: Final = re.compile(
    r"handle is closed|cannot schedule new futures|[Ee]vent loop is closed|at interpreter shutdown"
)
#: The traceback of an exception in a destructor, which Python prints and ignores.
_IGNORED_WITHIN: Final = 40  # lines
_WRAPPED_WITHIN: Final = 80  # lines: a traceback between the two
#: A line that is an exception and nothing else.
_ALONE: Final = re.compile(r"\s*[\w.]+(: .*)?\s*")
#: Lines that other processes print on, and the lines of progress that show that this one went on.
_SLACK: Final = 5
_GOES_ON: Final = 2
_ALL_GO_ON: Final = 50


def compute(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A row per failure. An exception counts with a traceback before it, as the end of a log, or with a known cause."""
    found = _failures(frames["events"], frames["metrics"]["line"].max())
    if not found:
        return pl.DataFrame(schema=COLUMNS)
    steps = _Steps(frames["progress"])
    chained = frames["events"].filter(pl.col("kind") == "exception_chained")["line"].to_list()
    root_ranks = _root_ranks(frames["events"])
    rows = []
    for attempt, line, last_line, last in frames["attempts"].select("attempt", "line", "last_line", "last").iter_rows():
        here = found[bisect_left(found, line, key=_line) : bisect_right(found, last_line, key=_line)]
        done = _completed(frames["events"], line, last_line)
        handled = [steps.go_on(failure, last_line) or (done < failure.line and _at_exit(failure)) for failure in here]
        open_failures = [failure for failure, survived in zip(here, handled, strict=True) if not survived]
        first = _first(open_failures, root_ranks)
        alone = first is None or tier_of(first) == "echo"
        chain = _chain(first, open_failures, chained) if first else set()
        for failure, survived in zip(here, handled, strict=True):
            step = steps.before(failure.line)
            rows.append((
                failure.line, failure.kind, failure.cause, failure.type, failure.reason, failure.rank, step,
                f"after step {step:,}" if step is not None else steps.uncounted(failure), failure.ts, tier_of(failure),
                not survived and failure.line in chain, alone, survived, attempt, last, failure.fields,
            ))  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _line(failure: Failure) -> int:
    return failure.line


def _failures(events: pl.DataFrame, last_value: object) -> list[Failure]:
    kinds = (MACHINE - {"gpu_xid"}) | FAULTS | ENDS | ECHOES
    xid = pl.col("fields").str.json_path_match("$.xid").cast(pl.Int64, strict=False)
    hardware = (pl.col("kind") == "gpu_xid") & xid.is_in(HARDWARE_XIDS)
    chosen = (
        events.filter(pl.col("kind").is_in(kinds) | hardware)
        .with_columns(seconds=clock.seconds("ts"))
        .sort("line", "record")
    )
    quoted = events.filter(pl.col("kind").is_in(["traceback", "stack_frame"]))["line"].min()
    ignored = events.filter(pl.col("kind") == "exception_ignored")["line"].sort().to_list()
    last, found, previous = events["line"].max(), list[Failure](), 0
    for row in chosen.select("line", "rank", "ts", "seconds", "kind", "fields", "message", "step").iter_rows():
        line, rank, ts, seconds, kind, text, message, counter = row
        own: dict[str, Any] = json.loads(text or "{}")
        reason = own.get("reason") or own.get("error") or own.get("assertion") or message
        cause = own.get("cause") or (None if kind == "exception" else kind)
        if kind == "exception":
            above = ignored[bisect_left(ignored, line) - 1] if ignored else 0
            was_ignored, previous = max(previous, line - _IGNORED_WITHIN) < above < line, line
            if was_ignored:
                continue
        # an exception without a traceback, of which nothing more is known, may be any text about one, but at the end
        ends = line == last and not (isinstance(last_value, int) and last_value >= line)
        ends = ends and (message is None or _ALONE.fullmatch(message) is not None)
        if cause is None and not ends and (not isinstance(quoted, int) or quoted >= line):
            continue
        name = str(own["type"]).rsplit(".", 1)[-1] if own.get("type") else None
        if cause in _UNSAID and name in _REFUSALS and _NOT_FINITE.search(str(reason)):
            cause = "nan_found"
        found.append(
            Failure(line, rank, ts, seconds, kind, cause, name, str(reason) if reason else None, text or "{}", counter)
        )
    announced = [failure for failure, after in itertools.pairwise(found) if _announces(failure, after)]
    return [failure for failure in found if failure not in announced] if announced else found


def _announces(failure: Failure, after: Failure) -> bool:
    """C++'s word that an exception ends the process, above the exception's own text that says what it is about."""
    bare = failure.kind == "native_exception" and "reason" not in json.loads(failure.fields)
    return bare and after.line == failure.line + 1 and (after.kind == "nan_terminated" or tier_of(after) == "echo")


class _Steps:
    """The lines of a training's progress, to look up what comes before or after a failure."""

    def __init__(self, progress: pl.DataFrame) -> None:
        # numpy looks a number up in a thousandth of the time: there may be thousands of failures
        counted = progress.drop_nulls("step")
        self._counted, self._numbers = counted["line"].to_numpy(), counted["step"]
        begun = progress.drop_nulls("epoch")
        self._begun, self._epochs = begun["line"].to_numpy(), begun["epoch"]
        self._progress, self._lines = progress, progress["line"].to_numpy()
        self._of_rank: dict[int | None, NDArray[np.int64]] = {}

    def before(self, line: int) -> int | None:
        """The last step that was logged up to a line."""
        place = int(self._counted.searchsorted(line, "right"))
        return self._numbers[place - 1] if place else None

    def uncounted(self, failure: Failure) -> str:
        """Where it failed, if no step was logged up to there: a training may count epochs alone, a bar anything."""
        if place := int(self._begun.searchsorted(failure.line, "right")):
            return f"after a line of epoch {self._epochs[place - 1]:g}"
        if self._lines.searchsorted(failure.line, "right"):
            return "after the training began"
        return f"with a counter at {failure.counter:,}" if failure.counter else "before any step"

    def go_on(self, failure: Failure, last_line: int) -> bool:
        """The process that failed made progress afterwards, within the same attempt."""
        if failure.rank not in self._of_rank:
            own = self._progress.filter(pl.col("rank").eq_missing(failure.rank))
            self._of_rank[failure.rank] = own["line"].to_numpy()
        lines = self._of_rank[failure.rank]
        return self._between(lines, failure, last_line) >= _GOES_ON or (
            # a rank that is gone stops the others at their next collective
            self._between(self._lines, failure, last_line) >= _ALL_GO_ON
        )

    @staticmethod
    def _between(lines: NDArray[np.int64], failure: Failure, last_line: int) -> int:
        return int(lines.searchsorted(last_line, "right") - lines.searchsorted(failure.line + _SLACK, "right"))


def _at_exit(failure: Failure) -> bool:
    """What may happen to a process that has done its work, while it is taken down."""
    gone = tier_of(failure) == "echo" or failure.kind in _CRASHES
    return gone or _TAKEN_DOWN.search(failure.reason or "") is not None


def _completed(events: pl.DataFrame, line: int, last_line: int) -> float:
    """The line on which a training says that it is complete; infinite if it does not."""
    said = events.filter(pl.col("kind") == "completed", pl.col("line").is_between(line, last_line))["line"].max()
    return said if isinstance(said, int) else math.inf


def _root_ranks(events: pl.DataFrame) -> set[int]:
    tables = events.filter(pl.col("kind") == "first_failed_worker")["fields"]
    named = (json.loads(text or "{}").get("failed_rank") for text in tables)
    return {int(rank) for rank in named if isinstance(rank, int | float)}


def _first(failures: list[Failure], root_ranks: set[int]) -> Failure | None:
    if not failures:
        return None
    # a shell goes on to the next line when the program has ended: what fails there did not end the program; and a
    # program that fails by itself has begun without what failed above it
    ended = next((failure.line for failure in failures if failure.kind not in _OF_SCRIPTS | _OF_TASKS), math.inf)
    ended = 0 if any(map(_by_itself, failures)) else ended
    failures = [failure for failure in failures if failure.kind not in _OF_SCRIPTS or failure.line < ended]
    top = min(ORDER[tier_of(failure)] for failure in failures)
    candidates = [failure for failure in failures if ORDER[tier_of(failure)] == top]
    named = [failure for failure in candidates if failure.rank in root_ranks and failure.kind == "exception"]
    candidates = named or candidates
    if all(failure.seconds is not None for failure in candidates):
        return min(candidates, key=lambda failure: (failure.seconds or 0.0, failure.line))
    return min(candidates, key=lambda failure: failure.line)


def _by_itself(failure: Failure) -> bool:
    """Whether a program that had begun failed, and not for want of what a line of its script should have made."""
    tier = tier_of(failure)
    return tier == "machine" or (tier == "fault" and failure.kind not in _OF_SCRIPTS and failure.type not in _MISSING)


def _chain(first: Failure, failures: list[Failure], chained: list[int]) -> set[int]:
    """The lines of the first failure and of what it was raised from, or raised while it was handled."""
    lines, previous = {first.line}, first
    for failure in failures:
        if failure.line <= previous.line or failure.rank != first.rank or failure.kind != "exception":
            continue
        joined = any(previous.line < line < failure.line for line in chained)
        if not joined and not (_wraps(previous, failure) and failure.line - previous.line <= _WRAPPED_WITHIN):
            break
        lines.add(failure.line)
        previous = failure
    return lines


def _wraps(failure: Failure, after: Failure) -> bool:
    """Whether an exception carries the one below it, or quotes its traceback behind a message that ends in a colon."""
    said = failure.reason or ""
    if failure.cause in _WRAPPERS or said.startswith(_WRAPPING):
        return True
    return said.endswith(":") and failure.cause is None and after.cause is not None and tier_of(after) != "echo"
