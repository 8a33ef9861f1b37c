"""A chunk of a log as columns: its records' templates, filled. What earlier chunks carry into it is left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from postmortem.parsing import columns
from postmortem.parsing.blocks import OpenBlock
from postmortem.parsing.columns import Fields
from postmortem.parsing.owned import owned
from postmortem.parsing.piece import Carries, Metrics, Piece, Places, Settings, Single, Some, Tensors
from postmortem.parsing.seen import EXAMPLE
from postmortem.parsing.sift import Trait, carriers, has, last_before_rows, sift
from postmortem.parsing.templates import ALONE, LABELS, PRINTED, STATISTICS, TAKEN, Fact, made_traits

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Bytes, Ints
    from postmortem.parsing.owned import Owned
    from postmortem.parsing.shapes import Records
    from postmortem.parsing.template import Template
    from postmortem.parsing.templates import Templates


class _Match(NamedTuple):
    """Records and their templates, while blocks take some of them."""

    records: Records
    chosen: Ints
    traits: Bytes
    alone: dict[int, Template]

    def blank_line(self, index: int) -> bool:
        """Whether nothing is on the line of this record."""
        begins = index - int(self.records.state[index])
        ends = int(np.searchsorted(self.records.line, self.records.line[index], side="right"))
        return bool(has(self.traits[begins:ends], Trait.BLANK).all())

    def take(self, index: int) -> None:
        """Give a record to a block."""
        self.chosen[index], self.traits[index] = TAKEN, Trait.READ
        self.alone.pop(index, None)


class Extractor:
    """Fills the chunks that one thread scans."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        # the template of each of this thread's shapes; the last one is that of NO_SHAPE, -1
        self._of_shape = np.array([ALONE], np.int32)

    def piece(self, records: Records, open_block: OpenBlock | None = None) -> Piece:
        """All that the records of one chunk give. `open_block` takes the first of them."""
        match = self._match(records)
        if open_block:
            self._take(match, -1, open_block)
        singles = self._singles(match)
        sifted = sift(records, match.chosen, match.traits, len(self._templates.all))
        used = np.flatnonzero(sifted.counts)
        places, first_place = self._places(match, sifted.filled)
        return Piece(
            line_start=records.line_start,
            ended=records.ended,
            unread=np.flatnonzero((sifted.of_line & (Trait.READ | Trait.BLANK)) == 0),
            cut=np.flatnonzero(has(sifted.of_line, Trait.CUT)),
            blank=has(sifted.of_line, Trait.BLANK),
            used=used,
            counts=sifted.counts[used],
            first=self._first(records, used, sifted.first),
            places=places,
            carries=self._carries(match),
            clearing=sifted.clearing,
            first_spoken=sifted.spoken,
            last_heads=sifted.heads,
            metrics=self._metrics(match, sifted.filled, first_place),
            tensors=self._tensors(match, sifted.filled, first_place),
            settings=self._settings(match, sifted.filled, first_place),
            singles=singles,
        )

    def _first(self, records: Records, used: Ints, first: Ints) -> dict[int, tuple[int, int, bytes]]:
        """Line, state and beginning of the first record of each template of which nobody has told yet."""
        new = used[~self._templates.told[used]]
        return {
            number: (int(records.line[index]), int(records.state[index]), records.record(index)[:EXAMPLE])
            for number, index in zip(new.tolist(), first[new].tolist(), strict=True)
        }

    def _carries(self, match: _Match) -> Carries:
        """What headings give to the rows after them."""
        facts, records, chosen = self._templates.facts, match.records, match.chosen
        found = carriers(records, chosen, match.traits, facts.column(Fact.TOTAL), facts.column(Fact.TOTAL_LENGTH))

        def fields(start: Fact, length: Fact) -> tuple[Ints, Fields]:
            size = facts.column(length)
            own = last_before_rows(chosen, match.traits, found, size)
            at = records.start[own] + facts.column(start).take(chosen[own])
            return own, Fields(records.buffer, at, size.take(chosen[own]))

        stepped, steps = fields(Fact.STEP, Fact.STEP_LENGTH)
        begun, epochs = fields(Fact.EPOCH, Fact.EPOCH_LENGTH)
        return Carries(
            step=Some(stepped, columns.integers(steps)),
            unit=facts.column(Fact.STEP_UNIT).take(chosen[stepped]).astype(np.int64),
            epoch=Some(begun, columns.numbers(epochs, np.zeros(len(begun), np.uint8))),
        )

    def _match(self, records: Records) -> _Match:
        """The template of each record, and the templates of those that are understood by themselves (ALONE)."""
        self._learn(records)
        chosen = self._of_shape.take(records.shape, mode="wrap")  # NO_SHAPE, -1, is the last one
        traits = self._templates.traits()
        of_record = traits.take(chosen, mode="wrap")
        decided = np.flatnonzero(has(of_record, Trait.VARIANTS))
        if len(decided):
            decided = decided[np.argsort(chosen[decided], kind="stable")]
            groups = np.split(decided, np.flatnonzero(np.diff(chosen[decided])) + 1)
            for group in groups:
                self._choose_variants(records, chosen, group)
            of_record[decided] = self._templates.traits().take(chosen[decided], mode="wrap")
        interpreter = self._templates.interpreter
        alone = {
            index: interpreter.template(records.record(index))
            for index in np.flatnonzero(has(of_record, Trait.ALONE)).tolist()
        }
        for index, made in alone.items():
            of_record[index] = Trait.ALONE | made_traits(made)
        return _Match(records, chosen, of_record, alone)

    def _learn(self, records: Records) -> None:
        """Ask for the templates of the shapes that are new."""
        known, seen = len(self._of_shape) - 1, int(records.shape.max(initial=-1)) + 1
        if seen <= known:
            return
        new = np.flatnonzero(records.shape >= known)[::-1]
        example = np.empty(seen - known, np.int64)
        example[records.shape[new] - known] = new  # of several, the first one stays
        templates = [self._templates.of_shape(records.record(int(index))) for index in example]
        self._of_shape = np.concatenate((self._of_shape[:-1], np.array([*templates, ALONE], np.int32)))

    def _choose_variants(self, records: Records, chosen: Ints, group: Ints) -> None:
        """Among records of one shape, tell apart those whose digits decide."""
        template = int(chosen[group[0]])
        looked_at = np.array(self._templates.all[template].looked_at)
        digits = records.buffer[records.start[group][:, None] + looked_at]
        _, example, alike = np.unique(digits, axis=0, return_index=True, return_inverse=True)
        variants = [self._templates.variant(template, records.record(int(group[index]))) for index in example]
        chosen[group] = np.array(variants, np.int32)[alike.ravel()]

    def _singles(self, match: _Match) -> list[Single]:
        """Records to be filled one by one. Those that a block takes belong to it from here on."""
        chosen, records = match.chosen, match.records
        singles = []
        for index in np.flatnonzero(match.traits & (Trait.SLOW | Trait.ALONE)).tolist():
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
                    number=int(chosen[index]),
                    block=block,
                )
            )
        return singles

    def _take(self, match: _Match, after: int, block: OpenBlock) -> None:
        """Give `block` the records that follow `after`, as long as they are its parts."""
        interpreter = self._templates.interpreter
        for index in range(after + 1, len(match.chosen)):
            blank_line = match.blank_line(index)
            if match.traits[index] & Trait.BLANK and not blank_line:
                continue
            if blank_line or not block.take(interpreter.body(match.records.record(index))):
                block.ended = True
                return
            match.take(index)

    def _owned(self, match: _Match, filled: Ints, fact: Fact) -> tuple[Owned, Ints]:
        """The rows of a table that the filled records have, and which of these records have one."""
        facts = self._templates.facts
        return owned(match.records, filled, match.chosen, facts.column(fact), facts.column(fact + 1))

    def _places(self, match: _Match, filled: Ints) -> tuple[Places, Ints]:
        """The places of rows, and for each record that has rows which place is its first."""
        rows, _ = self._owned(match, filled, Fact.PLACES)
        constants, *spans = self._templates.places.all()
        placed, first_place = rows.places(constants)
        step, epoch, rank, ts, job = (
            rows.some(spans[2 * i], spans[2 * i + 1], kind)
            for i, kind in enumerate(("int", "num", "int", "text", "text"))
        )
        return Places(*placed, step=step, epoch=epoch, rank=rank, ts=ts, job=job), first_place

    def _metrics(self, match: _Match, filled: Ints, first_place: Ints) -> Metrics:
        rows, owners = self._owned(match, filled, Fact.METRICS)
        start, table = match.records.start[rows.owners], self._templates.metrics.all()
        return Metrics(*columns.values(match.records.buffer, start, first_place[owners], *rows.each(), table))

    def _tensors(self, match: _Match, filled: Ints, first_place: Ints) -> Tensors:
        rows, owners = self._owned(match, filled, Fact.TENSORS)
        owner, row = columns.spread(*rows.each())
        place, constants, *spans = self._templates.tensors.all()
        fields: dict[str, Some] = {}
        for i, name in enumerate(STATISTICS + LABELS) if len(row) else ():
            kind = "text" if name in LABELS else "int" if name == "numel" else "num"
            fields[name] = rows.some(spans[2 * i], spans[2 * i + 1], kind)
            if name in PRINTED:
                fields[f"{name}_text"] = rows.some(spans[2 * i], spans[2 * i + 1], "text")
        return Tensors(
            place=first_place[owners][owner] + place.take(row),
            constants=constants.take(row),
            fields={name: some for name, some in fields.items() if len(some.at)},
        )

    def _settings(self, match: _Match, filled: Ints, first_place: Ints) -> Settings:
        rows, owners = self._owned(match, filled, Fact.SETTINGS)
        owner, row = columns.spread(*rows.each())
        place, constants, offset, length, number, digits = self._templates.settings.all()
        return Settings(
            place=first_place[owners][owner] + place.take(row),
            constants=constants.take(row),
            value=rows.some(offset, length, "text").values,
            number=rows.some(number, digits, "num"),
        )
