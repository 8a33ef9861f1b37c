"""Chunks of a log as records, and each record's shape: its bytes with every digit as 0.

Where a compiler was at hand when the package was built, `native/records.c` does the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Ints
    from postmortem.sources.chunks import Chunk

#: Longer records have no shape: nothing is gained by remembering them.
LONGEST_SHAPE: Final = 4096
#: No more shapes are remembered; records of further ones are read one by one.
MOST_SHAPES: Final = 200_000
MOST_BYTES: Final = 32 * 2**20
NO_SHAPE: Final = -1

#: Colours and cursor moves; window titles and hyperlinks; other codes. None crosses the end of a line.
ANSI: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|\x00")
#: Every digit as 0; records end at LF and at CR alike.
MASK: Final = bytes.maketrans(b"123456789\r", b"000000000\n")
_LF: Final = 10
_CR: Final = 13


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a chunk in order. `shape` counts from 0 in the order of first sight, or is NO_SHAPE.

    `start` and `length` are of `buffer`, which has no control codes; `line` counts from 0 in the chunk, `state` from 0
    in the line. `line_start` are offsets of the chunk as it stands in the file.
    """

    buffer: Bytes
    start: Ints
    length: Ints
    shape: Ints
    line: Ints
    state: Ints
    line_start: Ints
    ended: bool  # with a LF or CR

    def record(self, index: int) -> bytes:
        """The bytes of a record."""
        start = int(self.start[index])
        return self.buffer[start : start + int(self.length[index])].tobytes()


@dataclass(slots=True)
class Shapes:
    """The shapes seen so far, by one reader of chunks. `scan` is to be called by one thread at a time."""

    _ids: dict[bytes, int] = field(default_factory=dict)
    _bytes: int = 0

    def scan(self, chunk: Chunk) -> Records:
        """Cut `chunk` at LF and CR. A last line without its LF counts as a line."""
        data = chunk.data()
        raw = np.frombuffer(data, np.uint8)
        line_end = np.flatnonzero(raw == _LF)
        if not data.endswith(b"\n"):
            line_end = np.append(line_end, len(raw))
        line_start = np.concatenate(([0], line_end[:-1] + 1))
        clean = ANSI.sub(b"", data) if b"\x1b" in data or b"\x00" in data else data
        if not data.endswith(b"\n"):
            clean += b"\n"
        buffer = np.frombuffer(clean, np.uint8)
        end = np.flatnonzero((buffer == _LF) | (buffer == _CR))
        start = np.concatenate(([0], end[:-1] + 1))
        closes = buffer[end] == _LF
        line = np.concatenate(([0], np.cumsum(closes)[:-1]))
        first = np.flatnonzero(np.concatenate(([True], closes[:-1])))
        state = np.arange(len(end)) - first[line]
        return Records(
            buffer=buffer,
            start=start,
            length=(end - start).astype(np.int32),
            shape=np.array([self._id(key) for key in clean.translate(MASK).split(b"\n")[:-1]], np.int32),
            line=line.astype(np.int32),
            state=state.astype(np.int32),
            line_start=line_start,
            ended=data.endswith((b"\n", b"\r")),
        )

    def _id(self, key: bytes) -> int:
        found = self._ids.get(key)
        if found is not None:
            return found
        if len(key) > LONGEST_SHAPE or len(self._ids) >= MOST_SHAPES or self._bytes + len(key) > MOST_BYTES:
            return NO_SHAPE
        self._bytes += len(key)
        self._ids[key] = len(self._ids)
        return self._ids[key]
