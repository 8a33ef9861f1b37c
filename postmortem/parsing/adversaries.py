"""The losses of a game of two that a log calls by their first letters: `D 1.25  G 0.75`, `D: 1.25, G: 0.75`."""

from __future__ import annotations

import re
from typing import Final

from postmortem.parsing.numbers import read
from postmortem.parsing.reading import Pair

#: The losses of a game of two, by their first letters.
_ADVERSARIES: Final = re.compile(r"(?<![\w.])D\s(?P<d>[0-9]+\.[0-9]+)[\s,;|]{1,4}G\s(?P<g>[0-9]+\.[0-9]+)(?![\w.])")
_LETTERS: Final = frozenset("DG")


def of_adversaries(text: str, pairs: list[Pair]) -> list[Pair]:
    """The pairs of a record with the losses of discriminator and generator, where it has both, under such names."""
    if {pair.key for pair in pairs} >= _LETTERS:
        return [pair._replace(key=f"{pair.key} loss") if pair.key in _LETTERS else pair for pair in pairs]
    both = _ADVERSARIES.search(text)
    if both is None or any(pair.at in {both.span("d"), both.span("g")} for pair in pairs):
        return pairs
    return [*pairs, *(Pair(f"{key} loss", read(both[key]), both[key], both.span(key)) for key in "dg")]
