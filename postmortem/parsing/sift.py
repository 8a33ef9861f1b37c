"""What the records of a chunk are there for: which lines are blank or unread, which records hold rows, which carry."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from postmortem.parsing import columns, kernel
from postmortem.parsing.columns import Fields
from postmortem.parsing.kernel import address

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Flags, Ints
    from postmortem.parsing.shapes import Records

#: A log whose bars are of more lengths than these is looked at only as far as that.
MOST_BARS: Final = 64


class Trait:
    """What is true of a record, in one byte; `native/sift.c` has the same."""

    READ: Final = np.uint8(1)
    BLANK: Final = np.uint8(2)
    CUT: Final = np.uint8(4)
    SLOW: Final = np.uint8(8)  # it is filled by itself
    VARIANTS: Final = np.uint8(16)  # its digits decide
    CARRIES: Final = np.uint8(32)  # it gives its step or epoch to those after it
    PLACED: Final = np.uint8(64)  # it has rows to be filled with thousands of their kind
    ALONE: Final = np.uint8(128)  # it is understood by itself, and nothing is remembered of it


class Sifted(NamedTuple):
    """What one pass over the records of a chunk tells."""

    of_line: Bytes  # of each line: READ, CUT, and BLANK where nothing is on it
    filled: Ints  # records that are PLACED
    clearing: Ints  # records that end what was carried: blank lines, unless they stand right below a heading
    counts: Ints  # how many records each template has
    first: Ints  # and which is the first; where it has none, anything
    spoken: int  # the first record that is not blank
    heads: bool | None  # whether the last one that is not blank is a heading; None: all are blank


def sift(records: Records, chosen: Ints, traits: Bytes, templates: int) -> Sifted:
    """Go through the records once. `chosen` are their templates, `traits` is what is true of each record."""
    if not (library := kernel.load()):
        return _sift(records, chosen, traits, templates)
    n = len(chosen)
    of_line = np.zeros(len(records.line_start), np.uint8)
    filled, clearing = np.empty(n, np.int64), np.empty(len(of_line), np.int64)
    counts, first, found = np.zeros(templates, np.int64), np.empty(templates, np.int64), np.empty(4, np.int64)
    wanted = (traits, chosen, records.line, of_line, filled, clearing, counts, first, found)
    library.pm_sift(ctypes.c_int64(n), *map(address, wanted))
    fills, clears, spoken, heads = found.tolist()
    kept = filled[:fills].copy(), clearing[:clears].copy()
    return Sifted(of_line, *kept, counts, first, spoken, None if heads < 0 else bool(heads))


def _sift(records: Records, chosen: Ints, traits: Bytes, templates: int) -> Sifted:
    blank, lines = has(traits, Trait.BLANK), len(records.line_start)
    spoken, heads = np.flatnonzero(~blank), has(traits, Trait.CARRIES)
    of_line = np.full(lines, Trait.BLANK, np.uint8)
    of_line[records.line[~blank]] = 0
    of_line[records.line[~blank & has(traits, Trait.READ)]] = Trait.READ
    of_line[records.line[has(traits, Trait.CUT)]] |= Trait.CUT
    clearing = np.flatnonzero(has(of_line, Trait.BLANK)[records.line] & (records.state == 0))
    before = np.maximum.accumulate(np.where(blank, -1, np.arange(len(blank))))[clearing]
    heading = heads[np.maximum(before, 0)] & (before >= 0)
    known = np.flatnonzero(chosen >= 0)[::-1]
    first = np.zeros(templates, np.int64)
    first[chosen[known]] = known  # of several, the first one stays
    return Sifted(
        of_line=of_line,
        filled=np.flatnonzero(has(traits, Trait.PLACED)),
        clearing=clearing[~heading],
        counts=np.bincount(chosen[known], minlength=templates),
        first=first,
        spoken=int(spoken[0]) if len(spoken) else len(blank),
        heads=bool(heads[spoken[-1]]) if len(spoken) else None,
    )


def carriers(records: Records, chosen: Ints, traits: Bytes, total: Ints, total_length: Ints) -> Ints:
    """The records that carry, but for bars that run while a longer one does: those count no steps of the training.

    `total` and `total_length` say for each template where in a bar its length is printed.
    """
    if library := kernel.load():
        n = len(chosen)
        found, bar = np.empty(n, np.int64), np.empty(n, np.uint8)
        given = (traits, chosen, records.buffer, records.start, total, total_length)
        kept = library.pm_carriers(
            ctypes.c_int64(n), *map(address, given), ctypes.c_int64(MOST_BARS), address(found), address(bar)
        )
        if kept >= 0:
            return found[:kept].copy()
    found = np.flatnonzero((traits & (Trait.CARRIES | Trait.ALONE)) == Trait.CARRIES)
    bars = np.flatnonzero(total_length.take(chosen[found]) > 0)
    printed = chosen[found[bars]]
    size = columns.integers(
        Fields(records.buffer, records.start[found[bars]] + total.take(printed), total_length.take(printed))
    )
    kinds, first = np.unique(size, return_index=True)
    kinds = kinds[np.sort(np.argsort(first)[:MOST_BARS])]
    extents = [(kind, at[0], at[-1]) for kind in kinds if len(at := bars[size == kind])]
    inner = np.zeros(len(found), np.bool_)
    for kind, _, _ in extents:
        at = bars[size == kind]
        inner[at] = any(longer > kind and ((at > first) & (at < last)).any() for longer, first, last in extents)
    return found[~inner]


def last_before_rows(chosen: Ints, traits: Bytes, found: Ints, length: Ints) -> Ints:
    """Of the carriers that print a field, the last before each record that has rows, and the last of all.

    Of a hundred states of a bar no other is needed. `length` is that of each template's field, -1 where it has none.
    """
    if library := kernel.load():
        last = np.empty(len(found), np.int64)
        given = (traits, chosen), (found, length, last)
        kept = library.pm_last(*map(address, given[0]), ctypes.c_int64(len(found)), *map(address, given[1]))
        return last[:kept].copy()
    own = found[length.take(chosen[found]) >= 0]
    rows = np.append(np.flatnonzero(traits & (Trait.PLACED | Trait.SLOW | Trait.ALONE)), len(chosen))
    before = np.searchsorted(own, rows) - 1
    needed = np.zeros(len(own), np.bool_)
    needed[before[before >= 0]] = True
    return own[needed]


def before(held: Ints, record: Ints) -> Ints:
    """For each record, the last row in `held` that comes before it; both are in order."""
    if library := kernel.load():
        row, record, held = np.empty(len(record), np.int64), _longs(record), _longs(held)
        sizes = ctypes.c_int64(len(record)), ctypes.c_int64(len(held))
        library.pm_before(sizes[0], address(record), sizes[1], address(held), address(row))
        return row
    return np.searchsorted(held, record, side="left") - 1


def has(traits: Bytes, trait: np.uint8) -> Flags:
    """Where `trait` is true."""
    found: Flags = (traits & trait) != 0
    return found


def _longs(column: Ints) -> Ints:
    return np.ascontiguousarray(column, np.int64)
