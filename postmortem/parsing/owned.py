"""Which rows of the templates' tables belong to which records of a chunk, and the fields that they have."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from postmortem.parsing import columns, kernel
from postmortem.parsing.columns import Fields
from postmortem.parsing.kernel import address
from postmortem.parsing.piece import Some

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Ints
    from postmortem.parsing.shapes import Records


class Placed(NamedTuple):
    """The places of rows: record, line and state of each, and the number of its constants."""

    record: Ints
    line: Ints
    state: Ints
    constants: Ints


@dataclass(frozen=True, slots=True)
class Owned:
    """Rows `first[t]` to `first[t] + count[t]` of a table belong to each of the `owners` of template t."""

    records: Records
    owners: Ints  # records that have a row
    chosen: Ints  # the template of every record
    first: Ints
    count: Ints
    rows: int  # in all

    def each(self) -> tuple[Ints, Ints]:
        """For each of the owners, where its rows begin, and how many there are."""
        chosen = self.chosen[self.owners]
        return self.first.take(chosen), self.count.take(chosen)

    def places(self, constants: Ints) -> tuple[Placed, Ints]:
        """Every row as a place, and for each owner which is its first."""
        if library := kernel.load():
            found: list[Ints] = [np.empty(self.rows, kind) for kind in (np.int64, np.int32, np.int32, np.int32)]
            first_place = np.empty(len(self.owners), np.int64)
            given = (self.owners, self.chosen, self.first, self.count, constants, self.records.line, self.records.state)
            library.pm_places(self._size(), *map(address, (*given, *found, first_place)))
            return Placed(*found), first_place
        first, count = self.each()
        owner, row = columns.spread(first, count)
        record = self.owners[owner]
        placed = Placed(record, self.records.line[record], self.records.state[record], constants.take(row))
        return placed, np.cumsum(count) - count

    def some(self, offset: Ints, length: Ints, kind: str) -> Some:
        """The rows, numbered through, that have a field: its values. Where a row has none its `length` is -1."""
        rows = self.rows if (length >= 0).any() else 0  # of no template: nothing to look for
        at, fields = self._fields(rows, offset, length)
        match kind:
            case "int":
                return Some(at, columns.integers(fields))
            case "num":
                return Some(at, columns.numbers(fields, np.zeros(len(at), np.uint8)))
            case _:
                return Some(at, columns.texts(fields))

    def _fields(self, rows: int, offset: Ints, length: Ints) -> tuple[Ints, Fields]:
        """Which of so many rows have a field, and where it stands."""
        room: list[Ints] = [np.empty(rows, kind) for kind in (np.int64, np.int64, np.int32)]
        at, start, size = room
        if not rows:
            return at, Fields(self.records.buffer, start, size)
        if library := kernel.load():
            given = (self.owners, self.chosen, self.first, self.count, self.records.start, offset, length)
            found = library.pm_some(self._size(), *map(address, (*given, at, start, size)))
            held = at if found == rows else at[:found].copy()
            return held, Fields(self.records.buffer, start[:found], size[:found])
        owner, row = columns.spread(*self.each())
        start[:] = self.records.start[self.owners][owner] + offset.take(row)
        size[:] = length.take(row)
        at = np.flatnonzero(size >= 0)
        return at, Fields(self.records.buffer, start[at], size[at])

    def _size(self) -> ctypes.c_int64:
        return ctypes.c_int64(len(self.owners))


def owned(records: Records, filled: Ints, chosen: Ints, first: Ints, count: Ints) -> tuple[Owned, Ints]:
    """The rows that the filled records have, and which of these records are owners."""
    counts = count.take(chosen[filled])
    owners = np.flatnonzero(counts)
    return Owned(records, filled[owners], chosen, first, count, int(counts.sum())), owners
