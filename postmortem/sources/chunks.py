"""A log in chunks of whole lines, so that neither its size nor that of a line decides what memory is needed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from postmortem.errors import PostmortemError
from postmortem.sources.stream import is_plain, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Smaller chunks pay in Python, a few milliseconds each, what they save in memory and caches.
SIZE: Final = 16 * 2**20
#: So far before the end of a chunk its last line feed is looked for first.
_NEAR: Final = 65536


class Chunk(Protocol):
    """Some lines of a log. `goes_on`: the last of them is cut, and the next chunk begins in its middle."""

    @property
    def goes_on(self) -> bool:
        """Whether its last line is cut."""

    @property
    def size(self) -> int:
        """In bytes."""

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all."""

    def data(self) -> bytes:
        """The bytes."""

    def write_to(self, buffer: memoryview) -> None:
        """Put the bytes into `buffer`, which has their size."""


class Bytes(NamedTuple):
    """A chunk in memory."""

    content: bytes
    goes_on: bool

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all."""
        return self.content[:size]

    def data(self) -> bytes:
        """The bytes."""
        return self.content

    def write_to(self, buffer: memoryview) -> None:
        """Copy the bytes."""
        buffer[:] = self.content


class Range(NamedTuple):
    """A chunk in a file, read by whoever needs it: two threads read at once."""

    path: str
    file: int
    start: int
    size: int
    goes_on: bool

    def head(self, size: int) -> bytes:
        """The first `size` bytes, or all."""
        return os.pread(self.file, min(size, self.size), self.start)

    def data(self) -> bytes:
        """The bytes."""
        found = bytearray(self.size)
        self.write_to(memoryview(found))
        return bytes(found)

    def write_to(self, buffer: memoryview) -> None:
        """Read the bytes."""
        done = 0
        while done < self.size:
            read = os.preadv(self.file, [buffer[done:]], self.start + done)
            if read == 0:
                raise PostmortemError(f"{self.path}: became shorter while it was read; analyze it when it is at rest")
            done += read


@contextmanager
def chunks(path: str, size: int = SIZE) -> Iterator[Iterator[Chunk]]:
    """The chunks in order, to be read before the context ends. Of a file that still grows, what it holds now is read.

    A line longer than a chunk is cut where a state of its bar ends, or where it must be.
    """
    with opened(path) as stream:
        if is_plain(path):
            yield _ranges(path, stream.fileno(), size)
        else:
            yield _pieces(iter(lambda: stream.read(size), b""), size)


def _ranges(path: str, file: int, size: int) -> Iterator[Chunk]:
    start, end = 0, os.fstat(file).st_size
    while start < end:
        stop, goes_on = min(start + size, end), False
        if stop < end:
            cut = _last(b"\n", file, start, stop)
            goes_on = cut is None
            stop = cut or _last(b"\r", file, start, stop) or stop
        yield Range(path, file, start, stop - start, goes_on)
        start = stop


def _last(what: bytes, file: int, start: int, stop: int) -> int | None:
    """Where the last `what` in these bytes of a file ends."""
    for first in (max(start, stop - _NEAR), start):
        found = os.pread(file, stop - first, first).rfind(what)
        if found >= 0:
            return first + found + 1
    return None


def _pieces(blocks: Iterator[bytes], size: int) -> Iterator[Chunk]:
    rest = b""
    for block in blocks:
        data = rest + block
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Bytes(data[:cut], goes_on=False)
        elif len(data) >= size:
            cut = data.rfind(b"\r") + 1 or len(data)
            yield Bytes(data[:cut], goes_on=True)
        rest = data[cut:]
    if rest:
        yield Bytes(rest, goes_on=False)
