"""Logs whose lines another program has put into JSON: what a container printed, and the outputs of a notebook.

Each line of the file gives one line of the log, so that evidence is found where it stands. What a line of the log has
in it stays: a line feed inside a message becomes the carriage return that parts the states of a bar. A line that is
wrapped otherwise, or holds more than a message, is left as it is.
"""

from __future__ import annotations

import io
import json
import re
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    Unwrap = Callable[[bytes], bytes]

#: The message: of Docker, of Google's, of loggers in Python and Go.
_MESSAGES: Final = ("log", "message", "msg", "textPayload", "event")
_TIMES: Final = ("timestamp", "time", "@timestamp", "asctime", "ts")
_LEVELS: Final = ("level", "levelname", "severity")
_TRACEBACKS: Final = ("exc_info", "exception", "traceback", "stack_trace")
#: Numbers that a logger adds to a message; any other is measured, and the line a record.
_OF_LOGGER: Final = re.compile(
    r"(?i)time|date|created|msecs|nanos|(?:^|_)(?:ts|v|pid|tid|id)$|process|thread|line|level|seq|stream|version"
)
#: Of the whole lines at the file's beginning this share must be such messages.
_SHARE: Final = 0.8
#: Lines that are looked at.
_LOOKED_AT: Final = 50
#: A longer line is no message; it is left as it is.
_LONGEST: Final = 2**20
_NOTEBOOK: Final = re.compile(rb'^[ \t]{1,4}"(?:cells|nbformat)":', re.MULTILINE)
_CELL: Final = re.compile(rb'"(?:cell_type|nbformat_minor)":')
#: Lists of texts in a notebook that are its outputs.
_OUTPUTS: Final = re.compile(rb'\s*"(?:text|text/plain|traceback)": \[\s*')
_ENDS: Final = re.compile(rb"\s*\],?\s*")


def unwrapped(stream: IO[bytes], head: bytes) -> IO[bytes]:
    """The log in a stream that begins with `head`: the stream itself where nothing is wrapped around its lines."""
    unwrap = wrapping(head)
    return io.BufferedReader(_Unwrapped(stream, unwrap)) if unwrap else stream


def wrapping(head: bytes) -> Unwrap | None:
    """What takes each line of a file out of its wrapping, called with all in order; None for a plain log."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        return None
    if _NOTEBOOK.search(head) and _CELL.search(head):
        return _Notebook().line
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][:_LOOKED_AT]
    messages = sum(_message(line) is not None for line in lines)
    return _line if messages and messages >= _SHARE * len(lines) else None


class _Unwrapped(io.RawIOBase):
    """The lines of a stream, each out of its wrapping."""

    def __init__(self, stream: IO[bytes], unwrap: Unwrap) -> None:
        self._stream, self._unwrap, self._rest = stream, unwrap, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        if not self._rest:
            line = self._stream.readline(_LONGEST)
            self._rest = self._unwrap(line) if line.endswith(b"\n") or len(line) < _LONGEST else line
        given = self._rest[: len(view)]
        view[: len(given)] = given
        self._rest = self._rest[len(given) :]
        return len(given)


def _line(line: bytes) -> bytes:
    if not line:
        return line
    message = _message(line)
    return line if message is None else _flat(message)


def _message(line: bytes) -> str | None:
    """What a JSON object says, behind its time and its level, if it holds no more than a message."""
    record = _decoded(line)
    if not isinstance(record, dict):
        return None
    said = next((record[name] for name in _MESSAGES if isinstance(record.get(name), str)), None)
    try:
        if said is None or _measures(record):
            return None
    except RecursionError:  # what could just be decoded may be too deep to be looked through
        return None
    said = "\n".join([said, *(record[name] for name in _TRACEBACKS if isinstance(record.get(name), str))])
    if said[:1].isdigit() or said[:1] in "[ \t":  # of a program that prints the time itself, or of a traceback
        return said
    before = [next((record[n] for n in names if isinstance(record.get(n), str)), "") for names in (_TIMES, _LEVELS)]
    return " ".join([*filter(None, before), said])


def _measures(record: dict[str, Any]) -> bool:
    """Whether it holds a number that is not the logger's own."""
    for name, value in record.items():
        if isinstance(value, dict) and _measures(value):
            return True
        if isinstance(value, str | int | float) and not isinstance(value, bool) and not _OF_LOGGER.search(name):
            with suppress(ValueError):
                float(value)
                return name not in _MESSAGES
    return False


class _Notebook:
    """The outputs of a notebook as Jupyter writes it, a text a line. All else that it holds becomes empty lines."""

    def __init__(self) -> None:
        self._within = False

    def line(self, line: bytes) -> bytes:
        if self._within:
            if not _ENDS.fullmatch(line):
                text = _decoded(line.strip().removesuffix(b","))
                return _flat(text) if isinstance(text, str) else line
            self._within = False
        elif _OUTPUTS.fullmatch(line):
            self._within = True
        return b"\n" if line else line


def _decoded(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # of what is no JSON, or is nested without end
        return None


def _flat(text: str) -> bytes:
    """A text as one line."""
    inside = text.rstrip("\n").replace("\r\n", "\n").replace("\n", "\r")
    return inside.encode("utf-8", "surrogatepass") + b"\n"
