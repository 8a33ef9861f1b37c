"""Runs strangers' queries in a process of its own, since nothing within a process can stop DuckDB for certain.

An interrupt is looked at between vectors of rows, and DuckDB's memory limit does not count what one value holds:
`list_sum(range(1, 1e8))` ignores both. A process can be killed, the kernel keeps a limit on its address space, and it
has no secrets: no environment, no file but the frames, which it maps from memory that both see.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from postmortem.errors import PostmortemError, StoppedError
from postmortem.rules.database import MACRO_COLUMNS, MACRO_TABLE, MACROS, Answer, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

    from postmortem.rules.query import Query

#: Seconds that the process may take to start: it imports DuckDB, and the machine may be busy.
_START: Final = 60.0
#: Bytes of one answer: more than the rows that are kept can hold in any log that makes sense.
_LONGEST: Final = 2**26
_PIECE: Final = 2**16
#: The process finds this package where this one did, and takes no settings from around it.
_CODE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from postmortem.rules import child; child.main()"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take."""

    seconds: float = 30.0
    memory: int = 2 * 2**30  # bytes of address space beyond what the process has when it starts
    of_duckdb: str = "1GB"  # what DuckDB counts itself, so that it ends in good order where it can

    @classmethod
    def of(cls, seconds: float, gib: float) -> Self:
        """These seconds and GiB. DuckDB counts half of the memory; the rest is for what it does not count."""
        return cls(seconds, int(gib * 2**30), f"{gib * 500:.0f}MB")


class Sandbox:
    """A process that answers queries over frames: started when it is first asked, and again after it was killed."""

    def __init__(self, frame: Callable[[str], pl.DataFrame], limits: Limits) -> None:
        self._frame, self._limits = frame, limits
        self._files: dict[str, _Mapped] = {}
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        for file in self._files.values():
            file.close()

    def answer(self, sql: str, query: Query, params: Mapping[str, float]) -> Answer:
        """The rows of a query over frames and signals. PostmortemError says what it did, or where it was stopped."""
        tables = set(query.tables) - set(query.own)
        wanted: dict[str, tuple[str, ...] | None] = dict.fromkeys(tables, query.columns)
        if MACROS & set(query.functions):
            told = query.columns if MACRO_TABLE in tables else ()
            wanted[MACRO_TABLE] = None if told is None else tuple(MACRO_COLUMNS.union(told))
        for name, columns in wanted.items():
            self._offer(name, columns)
        said = self._ask(sql, params, {name: self._files[name] for name in wanted})
        if "error" in said:
            raise PostmortemError(reason(said["error"]))
        return Answer(**said)

    def _ask(self, sql: str, params: Mapping[str, float], tables: Mapping[str, _Mapped]) -> dict[str, Any]:
        fresh = self._process is None
        if self._process is None:
            self._process = _Process(self._limits)
        try:
            return self._process.ask(sql, params, tables)
        except _EndedError:
            self._end()
            if fresh:
                raise
        except StoppedError:
            self._end()
            raise
        # what an earlier query left behind may have ended it: a query is to blame where it ends a new process
        return self._ask(sql, params, tables)

    def _offer(self, name: str, columns: Iterable[str] | None) -> None:
        """Have a frame ready with these columns, and with those that were asked for before."""
        frame, held = self._frame(name), self._files.get(name)
        known = set(frame.columns)
        wanted = known if columns is None else known.intersection(columns)
        if held is not None:
            if wanted <= held.columns:
                return
            wanted |= held.columns
            held.close()
        wanted.add(frame.columns[0])  # rows need a column to be counted by
        self._files[name] = _Mapped(frame.select(column for column in frame.columns if column in wanted))

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _EndedError(StoppedError):
    """The process has ended by itself, or by the kernel."""


class _Mapped:
    """A frame as an Arrow file in memory, which has no name and goes away with the last process that has it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.columns = set(frame.columns)
        self._file = os.memfd_create("frame")
        self.path = f"/proc/{os.getpid()}/fd/{self._file}"
        frame.write_ipc(f"/proc/self/fd/{self._file}", compression="uncompressed")

    def close(self) -> None:
        os.close(self._file)


class _Process:
    """One process, and the frames that it knows."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: dict[str, _Mapped] = {}
        arguments = [str(limits.memory), limits.of_duckdb, str(limits.seconds)]
        self._popen = subprocess.Popen(  # noqa: S603 - this Python, and this project's own code
            [sys.executable, "-I", "-c", _CODE, json.dumps(sys.path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"ARROW_DEFAULT_MEMORY_POOL": "system"},
            cwd="/",
            start_new_session=True,  # an interrupt from the keyboard is for the parent, which ends it
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        try:
            self._hear(_START, "the process for rules did not start")
        except StoppedError:
            self.end()
            raise

    def ask(self, sql: str, params: Mapping[str, float], tables: Mapping[str, _Mapped]) -> dict[str, Any]:
        """What it says of a query. PostmortemError where it says nothing in time, or ends."""
        new = {name: table.path for name, table in tables.items() if self._known.get(name) is not table}
        self._known |= tables
        question = json.dumps({"sql": sql, "params": dict(params), "tables": new}) + "\n"
        assert self._popen.stdin is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(BrokenPipeError):  # it has ended, which is seen where its answer is awaited
            self._popen.stdin.write(question.encode())
            self._popen.stdin.flush()
        return self._hear(self._limits.seconds, f"stopped after {self._limits.seconds:g} s")

    def end(self) -> None:
        """Kill it, whatever it does."""
        self._popen.kill()
        self._popen.wait()
        self._selector.close()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    @property
    def _out(self) -> int:
        assert self._popen.stdout is not None  # noqa: S101 - a pipe was asked for
        return self._popen.stdout.fileno()

    def _hear(self, seconds: float, too_late: str) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        heard = bytearray()
        while not heard.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not self._selector.select(left):
                raise StoppedError(too_late)
            piece = os.read(self._out, _PIECE)
            if not piece:
                raise _EndedError(self._ended())
            heard += piece
            if len(heard) > _LONGEST:
                raise StoppedError(f"its answer is longer than {_LONGEST / 2**20:.0f} MiB")
        said: dict[str, Any] = json.loads(heard)
        return said

    def _ended(self) -> str:
        code = self._popen.wait()
        if code >= 0:
            return f"its process ended with exit code {code}"
        most = f"{self._limits.memory / 2**30:.3g} GiB"
        return f"killed by {signal.Signals(-code).name}; most likely it wanted more than {most} of memory"
