"""All dialects, compiled: which of their patterns stand in a line, the most specific first."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from postmortem.parsing import cached, index
from postmortem.parsing.names import FORMATS
from postmortem.parsing.needles import Needles
from postmortem.parsing.pattern import Numbered, Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from postmortem.parsing.dialect import Block, Dialect, Line
    from postmortem.parsing.index import Index
    from postmortem.parsing.pattern import Match


#: Around a telling text in a long record, so many characters are read.
_BEFORE: Final = 400
_BEHIND: Final = 4000
#: Of the places in a long record, so many of the first and of the last.
_MOST: Final = 200


@dataclass(frozen=True, eq=False)
class CompiledLine:
    """A dialect's line and its pattern, which most logs do not need."""

    dialect: Dialect
    spec: Line

    @cached_property
    def pattern(self) -> Pattern:
        """What the line looks like."""
        return Pattern(self.spec.pattern)


@dataclass(frozen=True, eq=False)
class CompiledBlock:
    """A dialect's block: the pattern that starts it and those of its parts."""

    dialect: Dialect
    spec: Block

    @cached_property
    def pattern(self) -> Pattern:
        """What starts it."""
        return Pattern(self.spec.starts)

    @cached_property
    def parts(self) -> tuple[Pattern, ...]:
        """What its other lines look like."""
        return tuple(Pattern(part.pattern) for part in self.spec.lines)


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

    def __init__(self, dialects: Iterable[Dialect], indexed: Callable[..., Index] = index.of) -> None:
        self.all = tuple(dialects)
        #: Those whose lines are rows of reports, see `Dialect.reports`.
        self.reporting = frozenset(dialect.name for dialect in self.all if dialect.reports)
        lines = [CompiledLine(d, line) for d in self.all for line in d.lines]
        self._blocks = [CompiledBlock(d, block) for d in self.all for block in d.blocks]
        found = indexed(
            [line.spec.pattern for line in lines],
            [block.spec.starts for block in self._blocks],
            [part.pattern for block in self._blocks for part in block.spec.lines],
        )
        self._lines = [lines[number] for number in found.order]
        self._telling = found.telling
        self._numbered = [Numbered(text) for text in found.numbered]
        self._needles = Needles(found.runs)
        self._parted = len(self._lines), len(self._lines) + len(self._blocks)

    def windows(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """The parts of a long text, from `start` on, in which some pattern may stand; of thousands, first and last."""
        import polars as pl

        whole = text.encode("utf-8", "replace")  # what was no UTF-8 as one sign each
        looked_in = pl.Series([whole.decode()])
        bytes_at = looked_in.str.find_many(self._telling, leftmost=True).explode().drop_nulls()
        found = bytes_at.to_list()
        if not text.isascii():
            found = [len(whole[:at].decode()) for at in _ends(found)]
        found = [at for at in found if at >= start]
        last = start
        for at in _ends(found):
            if at >= last:
                last = min(len(text), at + _BEHIND)
                yield max(start, at - _BEFORE), last

    def candidates(self, text: str) -> Candidates:
        """What may stand in a text, whatever its digits are: of a thousand patterns, few."""
        found = self._needles.maybe_in(text)
        lines, blocks = bisect_left(found, self._parted[0]), bisect_left(found, self._parted[1])
        return Candidates(
            [self._lines[number] for number in found[:lines]],
            [self._blocks[number - self._parted[0]] for number in found[lines:blocks]],
            [self._numbered[number - self._parted[1]] for number in found[blocks:]],
        )


def _ends(places: list[int]) -> list[int]:
    return places if len(places) <= 2 * _MOST else places[:_MOST] + places[-_MOST:]


@cache
def shipped() -> Dialects:
    """The dialects in `formats/`. PostmortemError names the file that does not fit."""
    files = sorted(path for path in FORMATS.glob("*.yaml") if path.name != "names.yaml")
    return Dialects(cached.load(files), index.kept)
