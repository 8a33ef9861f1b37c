"""A template in the making: its rows and their places, as bytes of the record."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from postmortem.parsing import cells
from postmortem.parsing.names import normalise
from postmortem.parsing.numbers import bare
from postmortem.parsing.rows import described
from postmortem.parsing.template import Placing, Row, Span, Tabled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.parsing.cells import Cell
    from postmortem.parsing.dialects import CompiledLine
    from postmortem.parsing.names import Names
    from postmortem.parsing.pattern import Match
    from postmortem.parsing.reading import Reading, Where

_COUNT: Final = re.compile(r"[0-9,]{1,18}")


@dataclass(slots=True)
class Draft:
    """What was found in one record so far."""

    names: Names
    record: bytes
    text: str
    at: int = 0  # where the body begins
    now: dict[str, object] = field(default_factory=dict)  # the place of the next row
    places: dict[Placing, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    told: set[int] = field(default_factory=set)  # those of these rows whose name the dialect tells
    looked_at: list[Where] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    beside: bool = False  # all that was read are sentences
    carry: int | None = None
    columns: tuple[Cell, ...] = ()
    cells: tuple[Tabled, ...] = ()
    tabled_by: CompiledLine | None = None
    split: str | None = None

    def _metric(self, name: str, span: Span, line: CompiledLine | None, fixed: Mapping[str, object]) -> None:
        dialect = line.dialect if line else None
        constants, placeholders = described(self.names, _printable(name), dialect, fixed)
        if dialect and normalise(name) in dialect.names:
            self.told.add(len(self.rows))
        self.rows.append(Row("metrics", self._place(), tuple(constants.items()), (("value", span),), placeholders))

    def _setting(self, key: str, value: Span, number: Span | None, origin: str) -> None:
        spans = (("value", value), *((("number", number),) if number else ()))
        self.rows.append(Row("settings", self._place(), (("key", _printable(key)), ("origin", origin)), spans))

    def _event(self, kind: str, fixed: Mapping[str, object], spans: Mapping[str, Span], body: str) -> None:
        constants = tuple({**fixed, "kind": kind}.items())
        message = ("message", self._at((0, len(body)), "text"))
        self.rows.append(Row("events", self._place(), constants, (message, *((f".{k}", s) for k, s in spans.items()))))

    def _row(self, frame: str, fixed: Mapping[str, object], spans: Mapping[str, Span]) -> None:
        constants = tuple((name, value) for name, value in fixed.items() if name not in spans)
        self.rows.append(Row(frame, self._place(), constants, tuple(spans.items())))

    def _placed_by(self, reading: Reading, body: str) -> None:
        if reading.step_at is not None:
            kind = "int" if _COUNT.fullmatch(body, *reading.step_at) else "num"
            self.now["step"] = self._at(reading.step_at, kind)
            self.now["step_unit"] = reading.step_unit
        if reading.epoch_at is not None:
            self.now["epoch"] = self._at(reading.epoch_at, "num")

    def _place(self) -> int:
        return self.places.setdefault(Placing(**self.now), len(self.places))  # type: ignore[arg-type]  # spans by name

    def _look(self, places: list[Where]) -> None:
        self.looked_at += [(start + self.at, end + self.at) for start, end in places]

    def _at(self, where: Where, kind: str) -> Span:
        """Characters of the body as bytes of the record; of a number, its own."""
        start, end = where[0] + self.at, where[1] + self.at
        return self._span(*(bare(self.text, start, end) if kind == "num" else (start, end)), kind)

    def _span(self, start: int, end: int, kind: str) -> Span:
        return Span(self._byte(start), self._byte(end), kind)

    def _byte(self, char: int) -> int:
        if self.text.isascii():
            return char
        return len(self.text[:char].encode("utf-8", "surrogateescape"))

    def _tabled(self, line: CompiledLine, match: Match, text: str, start: int) -> None:
        """The cells of a dialect's line that its pattern does not name: those of `text`, which begins at `start`."""
        named = [match.spans[name][0] for name in match.values]
        # blanks for what stands before it, so that its columns stay where they are
        row = cells.row(" " * start + text)
        self.cells = tuple(
            Tabled(cell.at, ())
            if any(cell.at[0] <= place < cell.at[1] for place in named)
            else Tabled(cell.at, tuple(self._at(at, "num") for at in cells.numbers(cell)))
            for cell in row
        )
        self.tabled_by = line if row else None

    def _carried(self, reading: Reading) -> int | None:
        """What a record says to those after it: a heading all, what an epoch measured its epoch."""
        if not reading.metrics:
            return self._place()
        # what follows a batch may be of the next epoch, and say so later
        if "epoch" not in self.now or "step" in self.now:
            return None
        return self.places.setdefault(Placing(epoch=self.now["epoch"]), len(self.places))  # type: ignore[arg-type]


def _printable(name: str) -> str:
    """A name from a log with U+FFFD for bytes that are no UTF-8."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
