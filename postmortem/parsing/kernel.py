"""The compiled inner loops, where they were built (`kernel.c`). POSTMORTEM_KERNEL=0 does without them."""

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
#: Of kernel.c; a library of another one is not used.
_VERSION: Final = 3


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
    library.pm_scan.restype = library.pm_gather.restype = ctypes.c_int64
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
        self._columns = [np.empty(0, kind) for kind in (np.int64, *[np.int32] * 4)]

    def __del__(self) -> None:
        self._library.pm_free(self._table)

    def scan(self, chunk: Chunk) -> Records:
        """Cut `chunk` at LF and CR."""
        size = chunk.size
        if len(self._buffer) < 2 * size:
            self._buffer = np.empty(2 * size, np.uint8)  # as much again for lines without their control codes
        chunk.write_to(self._buffer.data[:size])
        counts = np.zeros(3, np.int64)
        self._library.pm_count(address(self._buffer), ctypes.c_int64(size), *(address(counts[i:]) for i in range(3)))
        lines, most, codes = (int(count) for count in counts)
        if len(self._columns[0]) < most:
            self._columns = [np.empty(most + most // 4, column.dtype) for column in self._columns]
        start, length, shape, line, state = (column[:most] for column in self._columns)
        line_start = np.empty(lines, np.int64)
        found = self._library.pm_scan(
            self._table,
            address(self._buffer),
            ctypes.c_int64(size),
            *(address(column) for column in (start, length, shape, line, state, line_start)),
            ctypes.c_int64(codes),
        )
        assert found == most  # noqa: S101 - every LF and CR ends one record
        ended = int(self._buffer[size - 1]) in b"\n\r"
        return Records(self._buffer, start, length, shape, line, state, line_start, ended)


def address(column: Ints) -> ctypes.c_void_p:
    """Where a contiguous column lies in memory."""
    return ctypes.c_void_p(column.ctypes.data)
