"""The compiled inner loops, where they were built (`native/`). POSTMORTEM_KERNEL=0 does without them."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from postmortem.parsing.shapes import LONGEST_SHAPE, MOST_BYTES, MOST_SHAPES, Records

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Ints
    from postmortem.sources.chunks import Chunk

LIBRARY: Final = Path(__file__).with_name("_kernel.so")
#: Of native/records.c; a library of another one is not used.
_VERSION: Final = 5
#: Bytes in a record, mostly; where there are less, the room for records is made larger.
_USUAL: Final = 40
#: The kernel reads whole blocks, and writes a LF behind the chunk.
_BEHIND: Final = 64


@cache
def load() -> ctypes.CDLL | None:
    """The library; None where it was not built, is of another version or is not wanted."""
    if os.environ.get("POSTMORTEM_KERNEL") == "0" or not LIBRARY.exists():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        if library.pm_version() != _VERSION:
            return None
    except (OSError, AttributeError):
        return None
    library.pm_new.restype = ctypes.c_void_p
    for counting in (library.pm_scan, library.pm_gather, library.pm_carriers, library.pm_last, library.pm_some):
        counting.restype = ctypes.c_int64
    return library


class KernelShapes:
    """As `shapes.Shapes`. What a `scan` gives, but for `line_start`, is written over by the next."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._table = ctypes.c_void_p(
            library.pm_new(*(ctypes.c_int64(limit) for limit in (MOST_SHAPES, LONGEST_SHAPE, MOST_BYTES)))
        )
        if self._table.value is None:
            raise MemoryError("no memory for the shapes of a log's records")
        self._buffer = np.empty(0, np.uint8)
        self._columns = [np.empty(0, kind) for kind in (np.int64, *[np.int32] * 4, np.int64)]

    def __del__(self) -> None:
        self._library.pm_free(self._table)

    def scan(self, chunk: Chunk) -> Records:
        """Cut `chunk` at LF and CR."""
        size = chunk.size
        if len(self._buffer) < 2 * size + _BEHIND:
            self._buffer = np.empty(2 * size + _BEHIND, np.uint8)  # as much again for records without their codes
        chunk.write_to(self._buffer.data[:size])
        self._room(size // _USUAL + 1)
        lines = np.zeros(1, np.int64)
        while (found := self._scan(size, lines)) < 0:
            self._room(2 * len(self._columns[0]))
        start, length, shape, line, state, line_start = (column[:found] for column in self._columns)
        ended = int(self._buffer[size - 1]) in b"\n\r"
        return Records(self._buffer, start, length, shape, line, state, line_start[: int(lines[0])].copy(), ended)

    def _scan(self, size: int, lines: Ints) -> int:
        given = self._table, address(self._buffer), ctypes.c_int64(size), ctypes.c_int64(len(self._columns[0]))
        return int(self._library.pm_scan(*given, *map(address, self._columns), address(lines)))

    def _room(self, records: int) -> None:
        """Make room for so many records."""
        if len(self._columns[0]) < records:
            self._columns = [np.empty(records, column.dtype) for column in self._columns]


def address(column: Ints) -> ctypes.c_void_p:
    """Where a contiguous column lies in memory."""
    return ctypes.c_void_p(column.ctypes.data)
