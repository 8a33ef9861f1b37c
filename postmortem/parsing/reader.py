"""From a text log to a run: dialects first, the generic reader for the lines that they leave."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing import dialects, generic, names, prefix
from postmortem.parsing.rows import Place, Rows
from postmortem.run import Run
from postmortem.sources.text import Record, TextLog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.parsing.dialects import CompiledBlock, CompiledLine, Dialects
    from postmortem.parsing.pattern import FieldValue, Match, Pattern

#: Fields of a pattern that say where a row belongs, not what it holds.
_PLACES: Final = frozenset({"step", "epoch", "rank", "ts", "job"})
_JOB_IN_NAME: Final = re.compile(r"(?:^|[._-])(?:slurm|job|log|run)?[._-]?(?P<job>[0-9]{5,})(?:[._-]|$)")


@dataclass(slots=True)
class OpenBlock:
    """A block whose lines are being read: each part at most once."""

    block: CompiledBlock
    place: Place
    text: str
    values: dict[str, FieldValue]
    texts: dict[str, str]
    parts: list[Pattern]

    def take(self, text: str) -> bool:
        """Read `text` as the first part that it fits; False where it fits none."""
        for pattern in self.parts:
            for match in pattern.find(text):
                self.values |= match.values
                self.texts |= match.texts
                self.parts.remove(pattern)
                return True
        return False


@dataclass(slots=True)
class Reader:
    """Reads one log. A line none of whose records anybody understood is unread; a blank line is not."""

    file: str
    dialects: Dialects
    unread: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)  # lines with a record of which only the beginning was read
    used: Counter[str] = field(default_factory=Counter)
    rows: Rows = field(default_factory=lambda: Rows(names.load()))
    _carried: Place = field(init=False)
    _block: OpenBlock | None = None
    _read_line: int = 0

    def __post_init__(self) -> None:
        job = _JOB_IN_NAME.search(Path(self.file).stem)
        self._carried = Place(self.file, job=job["job"] if job else None)

    def read(self, records: Iterable[Record]) -> None:
        """Read all records. A blank line ends a block and the step that a heading gave to the lines after it."""
        for record in records:
            if not record.text:
                self._end_block()
                self._carry(self._carried, clear=True)
                continue
            head = prefix.split(record.text)
            place = replace(
                self._carried,
                line=record.line,
                record=record.record,
                offset=record.offset,
                ts=head.ts,
                rank=head.rank,
            )
            if not head.body or self._record(head, place):
                self._read_line = record.line
                self.unread.discard(record.line)
            elif self._read_line != record.line:
                self.unread.add(record.line)
        self._end_block()

    def _record(self, head: prefix.Prefix, place: Place) -> bool:
        text = head.body[: generic.LONGEST]
        if len(head.body) > generic.LONGEST:
            self.cut.add(place.line)
        if self._block is not None:
            if self._block.take(text):
                return True
            self._end_block()
        origin = "reconstructed" if head.reconstructed else "log"
        # a counter anywhere in the record places all that the record holds
        counters = generic.read_counters(text, self.rows.names)
        _apply(counters, place)
        if started := self.dialects.block(text):
            self._start_block(*started, text, place)
            return True
        chosen: list[tuple[CompiledLine, Match]] = []
        for line, match in self.dialects.lines(text):
            if all(match.end <= other.start or match.start >= other.end for _, other in chosen):
                chosen.append((line, match))
        # from left to right: the step of a bar is that of the line glued to it
        chosen.sort(key=lambda pair: pair[1].start)
        starts = [match.start for _, match in chosen]
        for (line, match), end in zip(chosen, [*starts[1:], len(text)], strict=False):
            place = self._line(line, match, text, text[match.end : end], place, origin)
        return bool(chosen) or self._generic(text, place, origin, counters)

    def _line(self, line: CompiledLine, match: Match, text: str, rest: str, place: Place, origin: str) -> Place:
        spec = line.spec
        place = _placed(place, line, match)
        self.used[line.dialect.name] += 1
        values = {name: value for name, value in match.values.items() if name not in _PLACES}
        numbers = {name: float(value) for name, value in values.items() if _is_number(value)}
        if spec.frame == "events" or spec.event:
            self.rows.event(place, spec.event or spec.set["kind"], text, values, spec.set)
        if spec.frame == "metrics":
            for name, number in numbers.items():
                self.rows.metric(place, name, number, match.texts[name], dialect=line.dialect, fixed=spec.set)
        elif spec.frame == "settings":
            for name in values:
                self.rows.setting(place, name, match.texts[name], numbers.get(name), origin)
        elif spec.frame == "place":
            self._carry(place)
        elif spec.frame in {"tensors", "jobs"}:
            self.rows.other(place, spec.frame, {"origin": "log"} | spec.set | values, match.texts)
        if spec.rest is not None:
            for pair in generic.pairs_of(rest, self.rows.names):
                self.rows.metric(
                    place, spec.rest + pair.key, pair.value, pair.text, dialect=line.dialect, fixed=spec.set
                )
        return place

    def _generic(self, text: str, place: Place, origin: str, counters: generic.Reading) -> bool:
        reading = generic.read_record(text, self.rows.names, counters)
        _apply(reading, place)
        if reading.empty:
            return False
        self.used["generic"] += 1
        for pair in reading.metrics:
            self.rows.metric(place, pair.key, pair.value, pair.text)
        for key, value, number in reading.settings:
            self.rows.setting(place, key, value, number, origin)
        if reading.tensor is not None:
            self.rows.other(place, "tensors", reading.tensor, {})
        elif reading.has_place and not reading.metrics:
            self._carry(place)
        return True

    def _carry(self, place: Place, *, clear: bool = False) -> None:
        """Give the lines that follow the step and epoch of `place`, or none."""
        self._carried.step = None if clear else place.step
        self._carried.step_unit = None if clear else place.step_unit
        self._carried.epoch = None if clear else place.epoch

    def _start_block(self, block: CompiledBlock, match: Match, text: str, place: Place) -> None:
        self.used[block.dialect.name] += 1
        place = replace(place, dialect=block.dialect.name)
        self._block = OpenBlock(block, place, text, dict(match.values), dict(match.texts), list(block.parts))

    def _end_block(self) -> None:
        if self._block is None:
            return
        done, self._block = self._block, None
        spec = done.block.spec
        if spec.frame == "events":
            self.rows.event(done.place, spec.set["kind"], done.text, done.values, spec.set)
        else:
            self.rows.other(done.place, spec.frame, spec.set | done.values, done.texts)


def read(path: str) -> Run:
    """The run that a log tells of. PostmortemError for what is missing, unreadable, binary or no log."""
    from postmortem.incident import Log

    log = TextLog(path)
    reader = Reader(path, dialects.shipped())
    reader.read(log.records())
    built = reader.rows.frames()
    told = any(not built[name].is_empty() for name in ("metrics", "tensors", "events", "jobs"))
    if not told and not set(reader.used) - {"generic"}:
        raise PostmortemError(
            f"{path}: no log of a training run: none of its {log.lines:,} lines holds a metric, a tensor's range, "
            "an event or a job"
        )
    info = Log(
        path=path,
        sha256=log.sha256,
        bytes=log.bytes,
        lines=log.lines,
        unread_lines=len(reader.unread),
        cut_lines=len(reader.cut),
        dialects=[name for name, _ in reader.used.most_common()],
        truncated=log.truncated,
    )
    return Run(**built, logs=(info,))


def _placed(place: Place, line: CompiledLine, match: Match) -> Place:
    """`place` with the step, rank and so on that the line itself gives."""
    given = {name: match.values[name] for name in _PLACES & set(match.values)}
    if "job" in given:
        given["job"] = str(given["job"])
    if "step" in given:
        given["step_unit"] = line.spec.set.get("step_unit", line.dialect.means.get("step", "unknown"))
    return replace(place, dialect=line.dialect.name, **given)  # type: ignore[arg-type]  # typed by the pattern


def _apply(reading: generic.Reading, place: Place) -> None:
    if reading.step is not None:
        place.step, place.step_unit = reading.step, reading.step_unit
    if reading.epoch is not None:
        place.epoch = reading.epoch


def _is_number(value: FieldValue) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)
