"""Understands one record: dialects first, the generic reader for what they leave. The one place that decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from postmortem.parsing import counters, generic, pairs, prefix, tables
from postmortem.parsing.assigned import is_number
from postmortem.parsing.draft import Draft
from postmortem.parsing.headed import split_of_heading
from postmortem.parsing.histories import DIALECT
from postmortem.parsing.names import normalise
from postmortem.parsing.namesakes import apart
from postmortem.parsing.reading import LONGEST
from postmortem.parsing.shapes import LONGEST_SHAPE
from postmortem.parsing.splits import is_of_a_split, named_first
from postmortem.parsing.template import Span, Tabled, Template
from postmortem.parsing.words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.parsing.dialects import Candidates, CompiledBlock, CompiledLine, Dialects
    from postmortem.parsing.names import Names
    from postmortem.parsing.pattern import Match
    from postmortem.parsing.reading import Pair, Reading, Where

#: Fields of a pattern that say where a row belongs, not what it holds.
PLACES: Final = frozenset({"step", "epoch", "rank", "ts", "job"})
_DIGIT: Final = re.compile(rb"[0-9]")
#: What the step of the run is called in a bar's postfix.
_OF_RUN: Final = frozenset({"step", "global_step"})
#: Numbers before a bar, which stand in the columns of a heading above it: `  43/99   0   0.25:  40%|`.
_ROW_OF_NUMBERS: Final = re.compile(
    r"\s*[0-9]+(?:/[0-9]+)?(?:\s+(?:[0-9.]+(?:e[-+]?[0-9]+)?|nan|inf)[GMK]?){2,20}(?=\s*:?\s*$)"
)
#: Where a progress bar begins: what it is of ends there.
_BAR: Final = re.compile(r"[0-9]+%(?:[^|]{0,12}\||\s*$)")


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
class _Record(Draft):
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
        counted = counters.read_counters(body, self.names)
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

    def _line(self, line: CompiledLine, match: Match, body: str, within: Where, origin: str) -> None:
        """What one line of a dialect gives; `within` is from the end of the one before it to where the next begins."""
        spec, dialect = line.spec, line.dialect
        self.used.append(dialect.name)
        self.patterns.append(f"{dialect.name}: {spec.pattern}")
        self.now["dialect"] = dialect.name
        spans = {name: self._at(match.spans[name], line.pattern.types[name]) for name in match.values}
        self.now |= {name: span for name, span in spans.items() if name in PLACES}
        if "step" in spans:
            self.now["step_unit"] = spec.set.get("step_unit", dialect.means.get("step", "unknown"))
        spans = {name: span for name, span in spans.items() if name not in PLACES}
        self._line_rows(line, match, spans, body, origin)
        if spec.heads:
            self.carry = self._place()
        if spec.tabled:
            self._tabled(line, match, body[match.start : match.end].partition(": ")[0], match.start)
        held_out = False
        if spec.lead is not None:
            bar = _BAR.search(body, within[0], match.start)
            lead = within[0], bar.start() if bar else match.start
            # what a bar shows is of the split that its description names: `Epoch 1 [valid]:  40%|`
            held_out = "split" not in spec.set and named_first(body[slice(*lead)], self.names) == "eval"
            if row := _ROW_OF_NUMBERS.match(body, *lead):
                self._tabled(line, match, row[0], lead[0])
            self._pairs(line, spec.lead, body, lead, origin, held_out=held_out)
        if spec.rest is not None:
            self._pairs(line, spec.rest, body, (match.end, within[1]), origin, held_out=held_out)
        elif spec.frame == "metrics" and spans:
            self._pairs(line, "", body, (match.end, within[1]), origin, measured=True)

    def _line_rows(self, line: CompiledLine, match: Match, spans: dict[str, Span], body: str, origin: str) -> None:
        spec = line.spec
        numbers = {name for name, kind in line.pattern.types.items() if kind in {"num", "int", "percent"}}
        if spec.frame == "events" or spec.event:
            self._event(spec.event or spec.set["kind"], spec.set, spans, body)
        match spec.frame:
            case "metrics" if "name" in spans or "name" in spec.set:
                self._named(line, match, {name: span for name, span in spans.items() if name in numbers})
            case "metrics":
                for name in (name for name in spans if name in numbers):
                    self._metric(name, spans[name], line, spec.set)
            case "settings" if {"key", "value"} <= set(spans):
                self._look([match.spans["key"]])
                number = is_number(match.texts["value"])
                self._setting(
                    match.texts["key"], spans["value"], _as_number(spans["value"]) if number else None, origin
                )
            case "settings":
                for name, span in spans.items():
                    self._setting(name, span, span if name in numbers else None, origin)
            case "place":
                self.now["total"] = spans.get("total")
                self.carry = self._place()
            case "tensors" | "jobs":
                self._row(spec.frame, {"origin": "log"} | spec.set, spans)

    def _named(self, line: CompiledLine, match: Match, columns: Mapping[str, Span]) -> None:
        """A metric that the line names: its value, or one for each split or part of the model, as tables have them."""
        name = str(line.spec.set.get("name") or match.texts["name"])
        self._look([match.spans["name"]] if "name" in match.spans else [])
        for column, span in columns.items():
            of = {} if column == "value" else {"split" if self.names.is_split(column) else "scope": column}
            self._metric(name, span, line, line.spec.set | of)

    def _pairs(
        self,
        line: CompiledLine,
        prefix: str,
        body: str,
        within: Where,
        origin: str,
        *,
        measured: bool = False,
        held_out: bool = False,
    ) -> None:
        """What stands around a line's pattern as key=value: counters, and values of the line's own frame.

        Where nothing does, what stands there as `key 2.5`; beside it, what everybody knows by such a name. `measured`:
        only what is that for certain, since a fork of the program prints it, of which the dialect says nothing.
        `held_out`: what has no split by its name is of the evaluation.
        """
        start, end = within
        looked_at: list[Where] = []
        # thresholds at its end are told from a pair by what follows: `mAP@.5:.95: 100%|`
        text = generic.narrow(body)[start:end]
        fixed = {name: value for name, value in line.spec.set.items() if name not in {"meaning", "scope"}}
        values = []
        found = pairs.pairs_of(text, self.names, looked_at)
        taken = {pair.at for pair in found}
        words = words_of(text, taken, self.names, looked_at, placed=line.spec.frame == "metrics")
        words = [word for word in words if not found or self.names.metric(word.key).known]
        for pair in sorted((*found, *words), key=lambda pair: pair.at):
            if measured and not (self.names.metric(pair.key).known or self._may_measure(pair)):
                continue
            at = (pair.at[0] + start, pair.at[1] + start)
            counter = self.names.counter(pair.key)
            if counter is None:
                values.append((f"{prefix}{pair.key}", self._at(at, "num"), pair.scope))
            elif counter == "epoch":
                self.now["epoch"] = self._at(at, "num")
            else:
                if not counters.any_counts(pair):
                    looked_at.append(pair.at)
                # a bar counts the batches of its epoch, and its postfix may tell the step of the run
                of_run = line.spec.frame == "place" and normalise(pair.key) in _OF_RUN
                if ("step" not in self.now or of_run) and counters.counts(pair):
                    self.now["step"] = self._at(at, "num")
                    self.now["step_unit"] = line.dialect.means.get("step", "unknown")
        for name, span, scope in values:
            if line.spec.frame == "settings":
                self._setting(name, span, span, origin)
            else:
                split = {"split": "eval"} if held_out and is_of_a_split(name, self.names) else {}
                self._metric(name, span, line, fixed | split | ({"scope": scope} if scope else {}))
        self._look([(first + start, last + start) for first, last in looked_at])

    def _may_measure(self, pair: Pair) -> bool:
        """A number with a fraction under a name that is no setting's."""
        return "." in pair.text and self.names.setting(pair.key) is None

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
            self._metric(pair.key, self._at(pair.at, "num"), None, {"scope": pair.scope})
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
        return True

    def _told_at_a_time(self, key: str, printed: str, body: str) -> bool:
        """True for `lr: 0.009` behind a time stamp and nothing else: it may be a setting, or what an epoch had."""
        alone = body.startswith(key) and "ts" in self.now and not printed.isdigit()
        return alone and self.names.metric(key).known

    def _table(self, body: str) -> bool:
        """A table's heading is read; what may be a row of one is told to be that by the heading above it alone."""
        body = generic.narrow(body)
        if columns := tables.heading(body, self.names):
            self.columns = columns
            self._look([(0, len(body))])
            self.used.append("generic")
            self.patterns.append("generic")
        self.cells = tuple(
            Tabled(cell.at, (), self._at(cell.at, "text"))
            if tables.is_label(cell)
            else Tabled(cell.at, tuple(self._at(at, "num") for at in tables.numbers(cell)))
            for cell in (() if columns else tables.row(body))
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


def _as_number(span: Span) -> Span:
    return Span(span.start, span.end, "num")
