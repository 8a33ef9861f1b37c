"""Fields of many records at once: numbers, whole numbers and texts, from where they stand in a buffer."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from postmortem.parsing import kernel
from postmortem.parsing.kernel import address
from postmortem.parsing.pattern import typed

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Ints, Values


class Fields(NamedTuple):
    """Fields in a buffer: where each begins, and its length in bytes."""

    buffer: Bytes
    start: Ints
    length: Ints

    def text(self, index: int) -> str:
        """The text of one field; bytes that are no UTF-8 as U+FFFD."""
        start = int(self.start[index])
        return self.buffer[start : start + int(self.length[index])].tobytes().decode("utf-8", "replace")


def spread(first: Ints, count: Ints) -> tuple[Ints, Ints]:
    """The rows `first[i]` to `first[i] + count[i]` for each i, one after the other: each row's i, and the row."""
    if len(count) and (library := kernel.load()):
        owner, row = np.empty((2, int(count.sum())), np.int64)
        library.pm_spread(ctypes.c_int64(len(count)), address(first), address(count), address(owner), address(row))
        return owner, row
    owner = np.repeat(np.arange(len(count)), count)
    return owner, np.arange(len(owner)) + np.repeat(first - (np.cumsum(count) - count), count)


def numbers(fields: Fields, share: Bytes) -> Values:
    """The value of each field; where `share` is 1 it is a percentage, and read as a share of 1."""
    count = len(fields.start)
    values, done = np.empty(count, np.float64), np.zeros(count, np.bool_)
    if count and (library := kernel.load()):
        columns = [
            np.ascontiguousarray(column) for column in (*fields[1:], share, values, done)
        ]  # kept alive until read
        library.pm_numbers(address(fields.buffer), ctypes.c_int64(count), *map(address, columns))
    for index in np.flatnonzero(~done).tolist():
        values[index] = float(typed("percent" if share[index] else "num", fields.text(index)))
    return values


def integers(fields: Fields) -> Ints:
    """The whole number of each field. One that is printed with decimals, as 10.0, counts as that."""
    count = len(fields.start)
    values, done = np.empty(count, np.int64), np.zeros(count, np.bool_)
    if count and (library := kernel.load()):
        columns = [np.ascontiguousarray(column) for column in (*fields[1:], values, done)]  # kept alive until read
        library.pm_integers(address(fields.buffer), ctypes.c_int64(count), *map(address, columns))
    for index in np.flatnonzero(~done).tolist():
        text = fields.text(index).replace(",", "")
        values[index] = int(text) if text.lstrip("+-").isdigit() else int(float(typed("num", text)))
    return values


def texts(fields: Fields) -> Bytes:
    """The fields one behind the other, each with a line feed behind it; no field holds one."""
    count = len(fields.start)
    if count and (library := kernel.load()):
        out = np.empty(int(fields.length.sum()) + count, np.uint8)
        columns = [np.ascontiguousarray(column) for column in fields[1:]]
        library.pm_gather(address(fields.buffer), ctypes.c_int64(count), *map(address, columns), address(out))
        return out
    buffer, ends = memoryview(fields.buffer.data), fields.start + fields.length
    pieces = (bytes(buffer[a:b]) + b"\n" for a, b in zip(fields.start.tolist(), ends.tolist(), strict=True))
    return np.frombuffer(b"".join(pieces), np.uint8)


def series(joined: Bytes) -> pl.Series:
    """What `texts` joined, as a column of text."""
    whole = pl.Series([str(joined.data[:-1], "utf-8", "replace")], dtype=pl.String)
    return whole.str.split("\n").explode() if len(joined) else whole.clear()
