"""A function of the user's, called in a process of its own, so that nothing it does ends ours.

The child (`target_child.py`) reads calls from its stdin and answers on a pipe, a JSON line each.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from postmortem.errors import PostmortemError
from postmortem.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from postmortem.replay.protocol import Value

_CHILD: Final = "postmortem.replay.target_child"
#: No honest answer is longer: a few hundred named numbers.
_LONGEST: Final = 1 << 20
_MOST_QUANTITIES: Final = 1_000
_SHOWN: Final = 300  # characters of what the target says of its own failure


class TargetError(PostmortemError):
    """The target raised, hung, died, or gave no numbers. One line that names it, its knobs and its seed."""


@dataclass(slots=True)
class Target:
    """`package.module:function`, started when it is first called and ended with the `with` block."""

    name: str
    seconds: float = 60.0  # for one call, and for the import before the first one
    memory_gb: float | None = None  # of address space; None: as much as there is
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _answers: int = field(default=-1, init=False)  # where the child's answers are read
    _rest: bytes = field(default=b"", init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def call(self, knobs: Mapping[str, Value], seed: int) -> dict[str, float]:
        """The quantities that the function measures. TargetError where it gives none."""
        where = f"{self.name} with {', '.join(f'{knob}={value}' for knob, value in knobs.items())}, seed {seed}"
        if self._child is None:
            self._start()
        child = self._child
        assert child is not None  # noqa: S101 - started above; for the type checker
        assert child.stdin is not None  # noqa: S101 - a pipe, as asked for
        try:
            child.stdin.write(json.dumps({"knobs": dict(knobs), "seed": seed}).encode() + b"\n")
            child.stdin.flush()
        except OSError:
            raise TargetError(f"{where}: {self._death()}") from None
        answer = self._read(where)
        if "error" in answer:
            self._end()
            raise TargetError(f"{where}: {visible(str(answer['error']), _SHOWN)}")
        return _quantities(answer.get("quantities"), where)

    def _start(self) -> None:
        answers, theirs = os.pipe()
        limit = "" if self.memory_gb is None else str(int(self.memory_gb * 2**30))
        self._child = subprocess.Popen(  # noqa: S603 - our own module, by our own Python
            [sys.executable, "-m", _CHILD, self.name, str(theirs), limit],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs,),
            start_new_session=True,  # so that what it starts ends with it
        )
        os.close(theirs)
        self._answers, self._rest = answers, b""

    def _read(self, where: str) -> dict[str, Any]:
        until = time.monotonic() + self.seconds
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                self._end()
                raise TargetError(f"{where}: no answer within {self.seconds:g} s; --time-limit gives it more")
            piece = os.read(self._answers, 1 << 16)
            self._rest += piece
            if not piece:
                raise TargetError(f"{where}: {self._death()}")
            if len(self._rest) > _LONGEST:
                self._end()
                raise TargetError(f"{where}: an answer of more than {_LONGEST:,} bytes; return a few named numbers")
        line, _, self._rest = self._rest.partition(b"\n")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self._end()
            raise TargetError(f"{where}: wrote into the pipe of its answers; it must leave descriptors alone")
        return answer

    def _death(self) -> str:
        """Why the child is no more."""
        code = self._end()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"died by {signal.Signals(-code).name}"
        return f"ended its process with exit code {code}"

    def _end(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        if child.stdin is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        os.close(self._answers)
        return child.wait()


def _quantities(given: object, where: str) -> dict[str, float]:
    """Named numbers, which the child writes as text, or TargetError."""
    if not isinstance(given, dict) or not 0 < len(given) <= _MOST_QUANTITIES:
        raise TargetError(f"{where}: returns no dict of named numbers, such as {{'loss': 2.5}}")
    try:
        return {name: float(value) for name, value in given.items()}
    except (TypeError, ValueError):
        raise TargetError(f"{where}: wrote into the pipe of its answers; it must leave descriptors alone") from None
