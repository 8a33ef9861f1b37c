"""What a line of a dialect gives: its own fields, and what stands around them as `key=value`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postmortem.parsing import counters, pairs, spelled
from postmortem.parsing.assigned import is_number
from postmortem.parsing.draft import Draft
from postmortem.parsing.names import normalise
from postmortem.parsing.splits import is_of_a_split, named_first
from postmortem.parsing.template import Span
from postmortem.parsing.words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.parsing.dialects import CompiledLine
    from postmortem.parsing.pattern import Match
    from postmortem.parsing.reading import Pair, Where

#: Fields of a pattern that say where a row belongs, not what it holds.
_PLACES: Final = frozenset({"step", "epoch", "rank", "ts", "job"})
#: What the step of the run is called in a bar's postfix.
_OF_RUN: Final = frozenset({"step", "global_step"})
#: Numbers before a bar, which stand in the columns of a heading above it: `  43/99   0   0.25:  40%|`.
_ROW_OF_NUMBERS: Final = re.compile(
    r"\s*[0-9]+(?:/[0-9]+)?(?:\s+(?:[0-9.]+(?:e[-+]?[0-9]+)?|nan|inf)[GMK]?){2,20}(?=\s*:?\s*$)"
)
#: Where a progress bar begins: what it is of ends there.
_BAR: Final = re.compile(r"[0-9]+%(?:[^|]{0,12}\||\s*$)")


@dataclass(slots=True)
class Described(Draft):
    """A record, of which dialects describe a part."""

    def _line(self, line: CompiledLine, match: Match, body: str, within: Where, origin: str) -> None:
        """What one line of a dialect gives; `within` is from the end of the one before it to where the next begins."""
        spec, dialect = line.spec, line.dialect
        self.used.append(dialect.name)
        self.patterns.append(f"{dialect.name}: {spec.pattern}")
        self.now["dialect"] = dialect.name
        spans = {name: self._at(match.spans[name], line.pattern.types[name]) for name in match.values}
        self.now |= {name: span for name, span in spans.items() if name in _PLACES}
        if "step" in spans:
            self.now["step_unit"] = spec.set.get("step_unit", dialect.means.get("step", "unknown"))
        spans = {name: span for name, span in spans.items() if name not in _PLACES}
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
        elif spec.frame == "place" or (spec.frame == "metrics" and spans):
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
                of = spec.set | self._of_a_part(match)
                for name in (name for name in spans if name in numbers):
                    self._metric(name, spans[name], line, of)
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

    def _of_a_part(self, match: Match) -> dict[str, str]:
        """The stage, layer or class that a line names in words, as `scope`."""
        if "scope" not in match.texts:
            return {}
        self._look([match.spans["scope"]])
        return {"scope": match.texts["scope"].strip()}

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
        text = spelled.plain(body)[start:end]
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


def _as_number(span: Span) -> Span:
    return Span(span.start, span.end, "num")
