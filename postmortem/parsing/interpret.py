"""Understands one record: dialects first, the generic reader for what they leave. The one place that decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from postmortem.parsing import cells, counters, generic, prefix, spelled, tables
from postmortem.parsing.described import Described
from postmortem.parsing.headed import split_of_heading
from postmortem.parsing.histories import DIALECT
from postmortem.parsing.namesakes import apart
from postmortem.parsing.reading import LONGEST
from postmortem.parsing.shapes import LONGEST_SHAPE
from postmortem.parsing.template import Tabled, Template

if TYPE_CHECKING:
    from postmortem.parsing.dialects import Candidates, CompiledBlock, CompiledLine, Dialects
    from postmortem.parsing.names import Names
    from postmortem.parsing.pattern import Match
    from postmortem.parsing.reading import Reading

_DIGIT: Final = re.compile(rb"[0-9]")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Turns a record into its template. The same dialects and names, the same template."""

    dialects: Dialects
    names: Names

    def template(self, record: bytes) -> Template:
        """What `record`, one state of one line without control codes, gives."""
        text = record.decode("utf-8", "surrogateescape").rstrip()
        if not text:
            return Template(read=True, blank=True)
        return _Record(self.names, record, text, dialects=self.dialects).template()

    def body(self, record: bytes) -> str:
        """The record without rank and time stamp, as a block's parts see it."""
        return prefix.split(record.decode("utf-8", "replace").rstrip()).body[:LONGEST]


@dataclass(slots=True)
class _Record(Described):
    """A record that is understood, piece by piece."""

    dialects: Dialects = field(kw_only=True)

    def template(self) -> Template:
        head = prefix.split(self.text)
        self.at = head.at
        if head.rank_at:
            self.now["rank"] = self._span(*head.rank_at, "int")
        if head.ts_at:
            self.now["ts"] = self._span(*head.ts_at, "time")
        body = head.body[:LONGEST]
        known = self.dialects.candidates(body)
        origin = "reconstructed" if head.reconstructed else "log"
        read, block = self._body(body, known, origin) if body else (True, None)
        touched = {byte for start, end in self.looked_at for byte in range(self._byte(start), self._byte(end))}
        if len(self.record) <= LONGEST_SHAPE:  # a longer one is understood by itself, whatever its digits
            touched |= set(known.digits_looked_at(self.record))
        if len(head.body) > LONGEST and block is None:
            self._read_on(head.body)
        return Template(
            read=read,
            cut=len(head.body) > LONGEST,
            places=tuple(self.places),
            rows=apart(self.rows, self.told, self.names),
            carry=self.carry,
            block=block,
            columns=self.columns,
            cells=self.cells,
            tabled_by=self.tabled_by,
            split=self.split,
            used=tuple(self.used),
            patterns=tuple(self.patterns),
            looked_at=tuple(byte for byte in sorted(touched) if _DIGIT.match(self.record, byte)),
        )

    def _body(self, body: str, known: Candidates, origin: str) -> tuple[bool, CompiledBlock | None]:
        # a counter anywhere in the record places all that the record holds
        counted = counters.read_counters(spelled.plain(body), self.names)
        self._placed_by(counted, body)
        if started := known.block(body):
            self._block(*started, body)
            return True, started[0]
        read = self._lines(body, known, origin)
        if not read or self.beside:
            read |= self._generic(body, origin, counted)
        return read, None

    def _read_on(self, body: str) -> None:
        """Of a record that is too long to be read, what dialects know: an error glued to its end is what matters."""
        before = self.at
        for start, end in self.dialects.windows(body, LONGEST):
            self.at = before + start
            part = body[start:end]
            self._lines(part, self.dialects.candidates(part), "log")
        self.at = before

    def _lines(self, body: str, known: Candidates, origin: str) -> bool:
        """Every line of a dialect that stands in `body`."""
        chosen: list[tuple[CompiledLine, Match]] = []
        for line, match in known.lines(body):
            if all(match.end <= other.start or match.start >= other.end for _, other in chosen):
                chosen.append((line, match))
        if not chosen:
            self.beside = True
            return False
        # from left to right: the step of a bar is that of the line glued to it
        chosen.sort(key=lambda pair: pair[1].start)
        starts = [match.start for _, match in chosen]
        ends = [0, *(match.end for _, match in chosen)]
        for (line, match), begin, end in zip(chosen, ends, [*starts[1:], len(body)], strict=False):
            self._line(line, match, body, (begin, end), origin)
        self.beside = all(line.dialect.sentences for line, _ in chosen)
        return True

    def _generic(self, body: str, origin: str, counted: Reading) -> bool:
        reading = generic.read_record(body, self.names, counted)
        self._look(reading.looked_at)
        self._placed_by(reading, body)
        if not reading.holds:
            self.split = split_of_heading(body, self.names)
        if reading.empty:
            return self._table(body) or self.split is not None
        self.used.append("generic")
        self.patterns.append("generic")
        if reading.history:
            self.now["dialect"] = DIALECT
        for pair in reading.metrics:
            self._metric(pair.key, self._at(pair.at, "num"), None, {"scope": pair.scope, "model": pair.model})
        for key, printed, number, at in reading.settings:
            if number is not None and self._told_at_a_time(key, printed, body):
                self._metric(key, self._at(at, "num"), None, {})
            self._setting(key, self._at(at, "text"), None if number is None else self._at(at, "num"), origin)
        if reading.tensor is not None:
            kind = {"name": "text", "scope": "text"}
            fixed = {name: value for name, value in reading.tensor.items() if name not in reading.tensor_at}
            spans = {name: self._at(at, kind.get(name, "num")) for name, at in reading.tensor_at.items()}
            self._row("tensors", fixed, spans)
        elif reading.has_place and counters.heads(body):
            self.carry = self._carried(reading)
            self.columns = tables.above_lone(body)
        return True

    def _told_at_a_time(self, key: str, printed: str, body: str) -> bool:
        """True for `lr: 0.009` behind a time stamp and nothing else: it may be a setting, or what an epoch had."""
        alone = body.startswith(key) and "ts" in self.now and not printed.isdigit()
        return alone and self.names.metric(key).known

    def _table(self, body: str) -> bool:
        """A table's heading is read; what may be a row of one is told to be that by the heading above it alone."""
        body = spelled.plain(body)
        if columns := tables.heading(body, self.names):
            self.columns = columns
            self._look([(0, len(body))])
            self.used.append("generic")
            self.patterns.append("generic")
        self.cells = tuple(
            Tabled(cell.at, (), self._at(cell.at, "text"))
            if cells.is_label(cell)
            else Tabled(cell.at, tuple(self._at(at, "num") for at in cells.numbers(cell)))
            for cell in (() if columns else cells.row(body))
        )
        return bool(columns)

    def _block(self, block: CompiledBlock, match: Match, body: str) -> None:
        """The row that the block's own line begins; the lines after it fill it."""
        self.used.append(block.dialect.name)
        self.patterns.append(f"{block.dialect.name}: {block.spec.starts}")
        self.now["dialect"] = block.dialect.name
        spans = {name: self._at(match.spans[name], block.pattern.types[name]) for name in match.values}
        if block.spec.frame == "events":
            self._event(block.spec.set["kind"], block.spec.set | {"states": block.spec.states}, spans, body)
        else:
            self._row(block.spec.frame, block.spec.set, spans)
