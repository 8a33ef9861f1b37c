"""All dialects, compiled: which of their patterns stand in a line, the most specific first."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from postmortem.parsing import cached
from postmortem.parsing.names import FORMATS
from postmortem.parsing.needles import Needles
from postmortem.parsing.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postmortem.parsing.dialect import Block, Dialect, Line
    from postmortem.parsing.pattern import Match, Numbered


#: Around a telling text in a long record, so many characters are read.
_BEFORE: Final = 400
_BEHIND: Final = 4000
#: Of the places in a long record, so many of the first and of the last.
_MOST: Final = 200
#: A literal text of so many characters is no chance.
_TELLING: Final = 6
_MASKED: Final = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class CompiledLine:
    """A dialect's line and its pattern."""

    dialect: Dialect
    spec: Line
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class CompiledBlock:
    """A dialect's block: the pattern that starts it and those of its parts."""

    dialect: Dialect
    spec: Block
    pattern: Pattern
    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The patterns that may stand in a text, the most specific first."""

    _lines: list[CompiledLine]
    _blocks: list[CompiledBlock]
    _numbered: list[Numbered]

    def lines(self, text: str) -> Iterator[tuple[CompiledLine, Match]]:
        """Every place where a line pattern stands in that text."""
        for line in self._lines:
            for match in line.pattern.find(text):
                yield line, match

    def block(self, text: str) -> tuple[CompiledBlock, Match] | None:
        """The block that the text starts, if it does."""
        for block in self._blocks:
            for match in block.pattern.find(text):
                return block, match
        return None

    def digits_looked_at(self, record: bytes) -> Iterator[int]:
        """The bytes of its record whose digits a literal text of some pattern asks for, or would with other digits."""
        for text in self._numbered:
            for found in text.compiled.finditer(record):
                yield from range(found.start(), found.end())


class Dialects:
    """Several dialects as one matcher. A line costs no more for patterns of which it holds no text."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self.all = tuple(dialects)
        lines = [CompiledLine(d, line, Pattern(line.pattern)) for d in self.all for line in d.lines]
        # the longer its literal text, the more a pattern says: `XV output:` before `{name:word} output:`
        self._lines = sorted(lines, key=lambda line: -_literal_length(line.spec.pattern))
        self._blocks = [
            CompiledBlock(d, block, Pattern(block.starts), tuple(Pattern(part.pattern) for part in block.lines))
            for d in self.all
            for block in d.blocks
        ]
        needles = {line.pattern.needle for line in self._lines}
        self._telling = sorted(needle for needle in needles if len(needle) >= _TELLING)
        patterns = [
            *(line.pattern for line in self._lines),
            *(pattern for block in self._blocks for pattern in (block.pattern, *block.parts)),
        ]
        self._numbered = sorted({text for pattern in patterns for text in pattern.numbered})
        started = [*(line.pattern for line in self._lines), *(block.pattern for block in self._blocks)]
        texts = [*(pattern.pieces for pattern in started), *(text.pieces for text in self._numbered)]
        self._needles = Needles([_without_digits(piece) for piece in pieces] for pieces in texts)
        self._parted = len(self._lines), len(self._lines) + len(self._blocks)

    def windows(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """The parts of a long text, from `start` on, in which some pattern may stand; of thousands, first and last."""
        import polars as pl

        bytes_at = pl.Series([text]).str.find_many(self._telling, leftmost=True).explode().drop_nulls()
        if text.isascii():
            found = bytes_at.to_list()
        else:
            whole = text.encode("utf-8", "replace")
            found = [len(whole[:at].decode("utf-8")) for at in _ends(bytes_at.to_list())]
        found = [at for at in found if at >= start]
        last = start
        for at in _ends(found):
            if at >= last:
                last = min(len(text), at + _BEHIND)
                yield max(start, at - _BEFORE), last

    def candidates(self, text: str) -> Candidates:
        """What may stand in a text, whatever its digits are: of a thousand patterns, few."""
        found = self._needles.maybe_in(_without_digits(text))
        lines, blocks = (bisect_left(found, first) for first in self._parted)
        return Candidates(
            [self._lines[number] for number in found[:lines]],
            [self._blocks[number - self._parted[0]] for number in found[lines:blocks]],
            [self._numbered[number - self._parted[1]] for number in found[blocks:]],
        )


def _without_digits(text: str) -> str:
    return text.translate(_MASKED)


def _ends(places: list[int]) -> list[int]:
    return places if len(places) <= 2 * _MOST else places[:_MOST] + places[-_MOST:]


def _literal_length(template: str) -> int:
    return len(re.sub(r"\{\w*:\w+\}", "", template))


@cache
def shipped() -> Dialects:
    """The dialects in `formats/`. PostmortemError names the file that does not fit."""
    files = sorted(path for path in FORMATS.glob("*.yaml") if path.name != "names.yaml")
    return Dialects(cached.load(files))
