"""What is worked out of all patterns before a line is read: their order, and the texts that tell where one may stand.

It takes longer than to read a short log, and the same patterns give the same: so it is kept (see `cache.py`).
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postmortem import cache
from postmortem.parsing import needles, pattern
from postmortem.parsing.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What decides what is worked out, beside the patterns.
_CODE: Final = (("index", __file__), ("needles", needles.__file__), ("pattern", pattern.__file__))
#: A literal text of so many characters is no chance.
_TELLING: Final = 6
_FIELD: Final = re.compile(r"\{\w*:\w+\}")


class Index(NamedTuple):
    """Of the patterns of lines, of those that start blocks, and of the literal texts with digits of all of them."""

    order: list[int]  # the patterns of lines by number, the most specific first
    telling: list[str]  # of each pattern of a line its longest literal text, where it is no chance
    numbered: list[str]  # literal texts that hold digits
    runs: list[list[str]]  # for `Needles`: lines in that order, then blocks, then numbered texts


def of(lines: Sequence[str], starts: Sequence[str], parts: Iterable[str]) -> Index:
    """The index of patterns: those of lines, those that start blocks, and those of the blocks' parts."""
    # the longer its literal text, the more a pattern says: `XV output:` before `{name:word} output:`
    order = sorted(range(len(lines)), key=lambda number: -len(_FIELD.sub("", lines[number])))
    begun = [*(Pattern(lines[number]) for number in order), *map(Pattern, starts)]
    numbered = sorted({text for one in (*begun, *map(Pattern, parts)) for text in one.numbered})
    texts = [*(one.pieces for one in begun), *(text.pieces for text in numbered)]
    return Index(
        order=order,
        telling=sorted({one.needle for one in begun[: len(order)] if len(one.needle) >= _TELLING}),
        numbered=[text.text for text in numbered],
        runs=needles.rarest(texts),
    )


def kept(lines: Sequence[str], starts: Sequence[str], parts: Sequence[str]) -> Index:
    """As `of`, from where it was kept if it was."""
    place = cache.place("patterns", _CODE, repr((lines, starts, parts)))
    with suppress(TypeError, ValueError):
        return _restored(cache.kept(place), len(lines), len(starts))
    made = of(lines, starts, parts)
    cache.keep(place, list(made))
    return made


def _restored(data: Any, lines: int, starts: int) -> Index:  # noqa: ANN401 - whatever was kept
    found = Index(*data)
    if sorted(found.order) != list(range(lines)) or len(found.runs) != lines + starts + len(found.numbered):
        raise ValueError("of other patterns")
    return found
