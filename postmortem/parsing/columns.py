"""Fields of many records at once: numbers, whole numbers and texts, from where they stand in a buffer."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from postmortem.parsing import kernel
from postmortem.parsing.kernel import address
from postmortem.parsing.pattern import typed

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Flags, Ints, Values


#: Bytes that the kernel may write behind the last text.
_SLACK: Final = 16


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


def values(
    buffer: Bytes, start: Ints, first_place: Ints, first: Ints, count: Ints, table: list[Ints]
) -> tuple[Ints, Ints, Values, Bytes]:
    """Every value of some records, with its place and constants, and the texts of all.

    Rows `first[i]` to `first[i] + count[i]` of `table` are the values of the record that begins at `start[i]` and whose
    first place is `first_place[i]`; its columns are place, constants, offset, length, and whether it is a share.
    """
    if not len(start) or not (library := kernel.load()):
        owner, row = spread(first, count)
        place, constants, offset, length, share = (column.take(row) for column in table)
        fields = Fields(buffer, start[owner] + offset, length)
        return first_place[owner] + place, constants, numbers(fields, share.astype(np.uint8)), texts(fields)
    number = ctypes.c_int64(len(start))
    start, first_place = np.ascontiguousarray(start), np.ascontiguousarray(first_place)
    sizes = np.zeros(2, np.int64)
    given = (address(first), address(count))
    library.pm_measure(number, *given, address(table[3]), address(sizes), address(sizes[1:]))
    rows, size = sizes.tolist()
    # one piece of memory for all that stays: large ones cost the system less
    block, done = np.empty(16 * rows + size + _SLACK, np.uint8), np.empty(rows, np.bool_)
    value, place = block[: 8 * rows].view(np.float64), block[8 * rows : 12 * rows].view(np.int32)
    constants, text = block[12 * rows : 16 * rows].view(np.int32), block[16 * rows : 16 * rows + size]
    wanted = (start, first_place, *table, place, constants, value, done, text)
    library.pm_values(address(buffer), ctypes.c_int64(len(buffer)), number, *given, *map(address, wanted))
    if not done.all():
        printed = text.tobytes().split(b"\n")
        for index in np.flatnonzero(~done).tolist():
            said = printed[index].decode("utf-8", "replace")
            value[index] = float(typed("percent" if said.endswith("%") else "num", said))
    return place, constants, value, text


def numbers(fields: Fields, share: Bytes) -> Values:
    """The value of each field; where `share` is 1 it is a percentage, and read as a share of 1."""
    count = len(fields.start)
    values, done = np.empty(count, np.float64), np.zeros(count, np.bool_)
    if count and (library := kernel.load()):
        columns = [
            np.ascontiguousarray(column) for column in (*fields[1:], share, values, done)
        ]  # kept alive until read
        library.pm_numbers(address(fields.buffer), ctypes.c_int64(count), *map(address, columns))
    elif count:
        values, done = _cast(fields, pl.Float64())
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
    elif count:
        values, done = _cast(fields, pl.Int64())
    for index in np.flatnonzero(~done).tolist():
        text = fields.text(index).replace(",", "")
        values[index] = int(text) if text.lstrip("+-").isdigit() else int(float(typed("num", text)))
    return values


def _cast(fields: Fields, kind: pl.DataType) -> tuple[Values, Flags]:
    """The fields that polars reads as numbers, exactly as Python does, and which they are."""
    found = series(texts(fields)).cast(kind, strict=False)
    return found.fill_null(0).to_numpy(writable=True), found.is_not_null().to_numpy()


def texts(fields: Fields) -> Bytes:
    """The fields one behind the other, each with a line feed behind it; no field holds one."""
    count = len(fields.start)
    if count and (library := kernel.load()):
        out = np.empty(int(fields.length.sum()) + count + _SLACK, np.uint8)
        columns = [np.ascontiguousarray(column) for column in fields[1:]]
        sizes = ctypes.c_int64(len(fields.buffer)), ctypes.c_int64(count)
        library.pm_gather(address(fields.buffer), *sizes, *map(address, columns), address(out))
        return out[:-_SLACK]
    buffer, ends = memoryview(fields.buffer.data), fields.start + fields.length
    pieces = (bytes(buffer[a:b]) + b"\n" for a, b in zip(fields.start.tolist(), ends.tolist(), strict=True))
    return np.frombuffer(b"".join(pieces), np.uint8)


def series(joined: Bytes) -> pl.Series:
    """What `texts` joined, as a column of text."""
    whole = pl.Series([str(joined.data[:-1], "utf-8", "replace")], dtype=pl.String)
    return whole.str.split("\n").explode() if len(joined) else whole.clear()
