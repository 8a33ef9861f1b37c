"""A chunk of a log as columns: its records' templates, filled. What earlier chunks carry into it is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from postmortem.parsing import columns
from postmortem.parsing.blocks import OpenBlock
from postmortem.parsing.columns import Fields
from postmortem.parsing.piece import Carries, Metrics, Piece, Places, Settings, Single, Some, Tensors
from postmortem.parsing.seen import EXAMPLE
from postmortem.parsing.templates import ALONE, LABELS, PRINTED, STATISTICS, TAKEN, Fact

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Flags, Ints, Values
    from postmortem.parsing.shapes import Records
    from postmortem.parsing.template import Template
    from postmortem.parsing.templates import Templates


#: A log whose bars are of more lengths than these is looked at only as far as that.
_MOST_BARS = 64


class _Match(NamedTuple):
    """Records and their templates, while blocks take some of them."""

    records: Records
    chosen: Ints
    alone: dict[int, Template]
    blank: Flags
    blank_line: Flags


class Extractor:
    """Fills the chunks that one thread scans."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        # the template of each of this thread's shapes; the last one is that of NO_SHAPE, -1
        self._of_shape = np.array([ALONE], np.int64)

    def piece(self, records: Records, open_block: OpenBlock | None = None) -> Piece:
        """All that the records of one chunk give. `open_block` takes the first of them."""
        chosen, alone = self._match(records)
        blank = self._flag(Fact.BLANK, chosen, {index: made.blank for index, made in alone.items()})
        lines = len(records.line_start)
        blank_line = ~_has(records.line[~blank], lines)
        match = _Match(records, chosen, alone, blank, blank_line)
        if open_block:
            self._take(match, -1, open_block)
        singles = self._singles(match)
        read = self._flag(Fact.READ, chosen, {index: made.read for index, made in alone.items()})
        cut = self._flag(Fact.CUT, chosen, {index: made.cut for index, made in alone.items()})
        spoken = np.flatnonzero(~blank)
        heads = self._flag(Fact.CARRIES, chosen, {index: made.carry is not None for index, made in alone.items()})
        unread = ~blank_line & ~_has(records.line[read & ~blank], lines)
        used = np.bincount(chosen[chosen >= TAKEN])
        filled = np.flatnonzero(self._templates.facts.column(Fact.PLACES + 1).take(np.maximum(chosen, TAKEN)))
        places, first_place = self._places(records, filled, chosen[filled])
        return Piece(
            line_start=records.line_start,
            ended=records.ended,
            unread=np.flatnonzero(unread),
            cut=np.unique(records.line[cut]).astype(np.int64),
            blank=blank_line,
            used=np.flatnonzero(used),
            counts=used[used > 0],
            first=_first(records, chosen, np.flatnonzero(used)),
            places=places,
            carries=self._carries(records, chosen, filled, singles),
            clearing=self._clearing(match, heads),
            first_spoken=int(spoken[0]) if len(spoken) else len(chosen),
            last_heads=bool(heads[spoken[-1]]) if len(spoken) else None,
            metrics=self._metrics(records, filled, chosen[filled], first_place),
            tensors=self._tensors(records, filled, chosen[filled], first_place),
            settings=self._settings(records, filled, chosen[filled], first_place),
            singles=singles,
        )

    def _clearing(self, match: _Match, heads: Flags) -> Ints:
        """Blank lines, each by its first record: they end what a heading gave, unless they stand right below it."""
        records = match.records
        blank = np.flatnonzero(match.blank_line[records.line] & (records.state == 0))
        before = np.maximum.accumulate(np.where(match.blank, -1, np.arange(len(heads))))[blank]
        heading = heads[np.maximum(before, 0)] & (before >= 0)
        return np.delete(blank, np.flatnonzero(heading))

    def _flag(self, fact: Fact, chosen: Ints, alone: dict[int, bool]) -> Flags:
        """What is true of each record's template."""
        flags = self._templates.facts.column(fact).astype(np.bool_).take(np.maximum(chosen, TAKEN))
        for index, flag in alone.items():
            flags[index] = flag
        return flags

    def _carries(self, records: Records, chosen: Ints, filled: Ints, singles: list[Single]) -> Carries:
        """What headings give to the rows after them. Of a hundred states of a bar, the last before a row is enough."""
        facts = self._templates.facts
        found = np.flatnonzero(facts.column(Fact.CARRIES).take(np.maximum(chosen, TAKEN)))
        found = found[~self._inner_bars(records, chosen, found)]
        takes = np.zeros(len(chosen) + 1, np.bool_)
        takes[filled] = takes[-1] = True
        takes[[single.record for single in singles]] = True
        takers = np.flatnonzero(takes)

        def fields(start: Fact, length: Fact) -> tuple[Ints, Fields]:
            own = found[facts.column(length).take(chosen[found]) >= 0]
            before = np.searchsorted(own, takers) - 1
            needed = np.zeros(len(own), np.bool_)
            needed[before[before >= 0]] = True
            own = own[needed]
            at = records.start[own] + facts.column(start).take(chosen[own])
            return own, Fields(records.buffer, at, facts.column(length).take(chosen[own]))

        stepped, steps = fields(Fact.STEP, Fact.STEP_LENGTH)
        begun, epochs = fields(Fact.EPOCH, Fact.EPOCH_LENGTH)
        return Carries(
            step=Some(stepped, columns.integers(steps)),
            unit=facts.column(Fact.STEP_UNIT).take(chosen[stepped]).astype(np.int64),
            epoch=Some(begun, columns.numbers(epochs, np.zeros(len(begun), np.uint8))),
        )

    def _inner_bars(self, records: Records, chosen: Ints, found: Ints) -> Flags:
        """Bars that run while a longer one does: an evaluation's batches, which are no steps of the training."""
        facts = self._templates.facts
        inner = np.zeros(len(found), np.bool_)
        length = facts.column(Fact.TOTAL_LENGTH).take(chosen[found])
        start = records.start[found] + facts.column(Fact.TOTAL).take(chosen[found])
        bars = np.flatnonzero((facts.column(Fact.CARRIES).take(chosen[found]) > 0) & (length > 0))
        total = columns.integers(Fields(records.buffer, start[bars], length[bars]))
        extents = [(size, at[0], at[-1]) for size in np.unique(total)[:_MOST_BARS] if len(at := bars[total == size])]
        for size, _, _ in extents:
            at = bars[total == size]
            if any(longer > size and ((at > first) & (at < last)).any() for longer, first, last in extents):
                inner[at] = True
        return inner

    def _match(self, records: Records) -> tuple[Ints, dict[int, Template]]:
        """The template of each record, and the templates of those that are understood by themselves (ALONE)."""
        self._learn(records)
        chosen = self._of_shape[records.shape]
        decided = np.flatnonzero(self._templates.facts.column(Fact.VARIANTS).take(np.maximum(chosen, TAKEN)))
        if len(decided):
            decided = decided[np.argsort(chosen[decided], kind="stable")]
            groups = np.split(decided, np.flatnonzero(np.diff(chosen[decided])) + 1)
            for group in groups:
                self._choose_variants(records, chosen, group)
        interpreter = self._templates.interpreter
        return chosen, {
            int(i): interpreter.template(records.record(i)) for i in np.flatnonzero(chosen == ALONE).tolist()
        }

    def _learn(self, records: Records) -> None:
        """Ask for the templates of the shapes that are new."""
        known, seen = len(self._of_shape) - 1, int(records.shape.max(initial=-1)) + 1
        if seen <= known:
            return
        new = np.flatnonzero(records.shape >= known)[::-1]
        example = np.empty(seen - known, np.int64)
        example[records.shape[new] - known] = new  # of several, the first one stays
        templates = [self._templates.of_shape(records.record(int(index))) for index in example]
        self._of_shape = np.concatenate((self._of_shape[:-1], np.array([*templates, ALONE], np.int64)))

    def _choose_variants(self, records: Records, chosen: Ints, group: Ints) -> None:
        """Among records of one shape, tell apart those whose digits decide."""
        template = int(chosen[group[0]])
        looked_at = np.array(self._templates.all[template].looked_at)
        digits = records.buffer[records.start[group][:, None] + looked_at]
        _, example, alike = np.unique(digits, axis=0, return_index=True, return_inverse=True)
        variants = [self._templates.variant(template, records.record(int(group[index]))) for index in example]
        chosen[group] = np.array(variants, np.int64)[alike.ravel()]

    def _singles(self, match: _Match) -> list[Single]:
        """Records to be filled one by one. Those that a block takes belong to it from here on."""
        chosen, records = match.chosen, match.records
        slow = np.flatnonzero(self._templates.facts.column(Fact.SLOW).take(np.maximum(chosen, TAKEN)))
        singles = []
        for index in sorted({*slow.tolist(), *match.alone}):
            if chosen[index] == TAKEN:
                continue
            template = match.alone[index] if chosen[index] == ALONE else self._templates.all[chosen[index]]
            block = OpenBlock.start(template.block) if template.block else None
            if block:
                self._take(match, index, block)
            singles.append(
                Single(
                    record=index,
                    line=int(records.line[index]),
                    state=int(records.state[index]),
                    template=template,
                    text=records.record(index),
                    whole=bool(chosen[index] == ALONE),
                    block=block,
                )
            )
        return singles

    def _take(self, match: _Match, after: int, block: OpenBlock) -> None:
        """Give `block` the records that follow `after`, as long as they are its parts."""
        interpreter = self._templates.interpreter
        for index in range(after + 1, len(match.chosen)):
            blank_line = match.blank_line[match.records.line[index]]
            if match.blank[index] and not blank_line:
                continue
            if blank_line or not block.take(interpreter.body(match.records.record(index))):
                block.ended = True
                return
            match.chosen[index] = TAKEN
            match.alone.pop(index, None)

    def _rows(self, fact: Fact, chosen: Ints) -> tuple[Ints, Ints]:
        """The rows of a table that belong to each of some records: the record's index among them, and the row."""
        first, count = (self._templates.facts.column(fact + i).take(chosen) for i in (0, 1))
        return columns.spread(first, count)

    def _places(self, records: Records, filled: Ints, chosen: Ints) -> tuple[Places, Ints]:
        """The places of rows, and for each record that has rows which place is its first."""
        owner, row = self._rows(Fact.PLACES, chosen)
        table, record = self._templates.places.all(), filled[owner]
        start = records.start[record]

        def some(index: int, kind: str) -> Some:
            at = np.flatnonzero(table[2 * index + 2].take(row) >= 0)
            rows = row[at]
            fields = Fields(records.buffer, start[at] + table[2 * index + 1][rows], table[2 * index + 2][rows])
            return Some(at, _read(fields, kind))

        step, epoch, rank, ts, job = (some(i, kind) for i, kind in enumerate(("int", "num", "int", "text", "text")))
        count = self._templates.facts.column(Fact.PLACES + 1).take(chosen)
        return Places(
            record=record,
            line=records.line[record],
            state=records.state[record],
            constants=table[0].take(row),
            step=step,
            epoch=epoch,
            rank=rank,
            ts=ts,
            job=job,
        ), np.cumsum(count) - count

    def _metrics(self, records: Records, filled: Ints, chosen: Ints, first_place: Ints) -> Metrics:
        first, count = (self._templates.facts.column(Fact.METRICS + i).take(chosen) for i in (0, 1))
        start, table = records.start[filled], self._templates.metrics.all()
        return Metrics(*columns.values(records.buffer, start, first_place, first, count, table))

    def _tensors(self, records: Records, filled: Ints, chosen: Ints, first_place: Ints) -> Tensors:
        owner, row = self._rows(Fact.TENSORS, chosen)
        place, constants, *spans = self._templates.tensors.take(row)
        start = records.start[filled][owner]
        fields: dict[str, Some] = {}
        for i, name in enumerate(STATISTICS + LABELS):
            kind = "text" if name in LABELS else "int" if name == "numel" else "num"
            fields[name] = _some(records.buffer, start, spans[2 * i], spans[2 * i + 1], kind)
            if name in PRINTED:
                fields[f"{name}_text"] = _some(records.buffer, start, spans[2 * i], spans[2 * i + 1], "text")
        return Tensors(
            place=first_place[owner] + place,
            constants=constants,
            fields={name: some for name, some in fields.items() if len(some.at)},
        )

    def _settings(self, records: Records, filled: Ints, chosen: Ints, first_place: Ints) -> Settings:
        owner, row = self._rows(Fact.SETTINGS, chosen)
        place, constants, offset, length, number, digits = self._templates.settings.take(row)
        start = records.start[filled][owner]
        return Settings(
            place=first_place[owner] + place,
            constants=constants,
            value=columns.texts(Fields(records.buffer, start + offset, length)),
            number=_some(records.buffer, start, number, digits, "num"),
        )


def _some(buffer: Bytes, start: Ints, offset: Ints, length: Ints, kind: str) -> Some:
    """The fields that are there: `length` is -1 where a row has none."""
    at = np.flatnonzero(length >= 0)
    return Some(at, _read(Fields(buffer, start[at] + offset[at], length[at]), kind))


def _read(fields: Fields, kind: str) -> Values | Bytes:
    match kind:
        case "int":
            return columns.integers(fields)
        case "num":
            return columns.numbers(fields, np.zeros(len(fields.start), np.uint8))
        case _:
            return columns.texts(fields)


def _first(records: Records, chosen: Ints, used: Ints) -> list[tuple[int, bytes]]:
    """Line and beginning of the first record of each template in `used`."""
    known = np.flatnonzero(chosen >= TAKEN)[::-1]
    first = np.zeros(int(used.max(initial=TAKEN)) + 1, np.int64)
    first[chosen[known]] = known  # of several, the first one stays
    return [(int(records.line[index]), records.record(index)[:EXAMPLE]) for index in first[used].tolist()]


def _has(lines: Ints, count: int) -> Flags:
    """For each of `count` lines, whether it is among `lines`."""
    found = np.zeros(count, np.bool_)
    found[lines] = True
    return found
