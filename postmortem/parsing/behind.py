"""Values with their names behind them: `Epoch 3: 0.5 loss, 90% accuracy`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Pair
from postmortem.parsing.words import look

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

_EACH: Final = re.compile(
    rf"(?<![\w.%-])(?P<value>(?=[-+0-9]*\.|[+-]?(?i:nan|inf)|[0-9]+\s?%){NUMBER})\s?%?"
    r"\s+(?P<key>[A-Za-z][\w./-]{0,30}(?: [A-Za-z][\w./-]{0,30}){0,2}?)(?=\s*(?:[,;|]|\s-\s|$))"
)
_BETWEEN: Final = re.compile(r"\s*(?:[,;|]|\s-\s)?\s*")
#: The same quantity in another unit, behind it: `train: 512.5 (0.75 bpd)`.
_IN_OTHER_UNIT: Final = re.compile(
    rf"(?<=[0-9])\s\((?P<value>(?=[-+0-9]*\.){NUMBER})\s(?P<key>bpd|bpc|bpp|bits/dim|ppl|perplexity)\)"
)
#: One of them is a sentence as often: `it ended with 0.5 accuracy`.
_FEWEST: Final = 2


def named_behind(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """The values that a text ends with, one behind the other, where each has the name of a metric behind it."""
    found: list[re.Match[str]] = []
    for match in _EACH.finditer(text):
        if found and _BETWEEN.fullmatch(text, found[-1].end(), match.start()) is None:
            found.clear()
        found.append(match)
    if len(found) < _FEWEST or _BETWEEN.fullmatch(text, found[-1].end()) is None:
        return []
    if not all(_measures(match["key"], names) for match in found):
        return []
    for match in found:
        look(match["key"], text, match.span("key"), looked_at)
    return [Pair(match["key"], read(match["value"]), match["value"], match.span("value")) for match in found]


def _measures(key: str, names: Names) -> bool:
    return names.metric(key).known or names.metric(key.rpartition(" ")[2]).known


def in_other_units(text: str) -> list[Pair]:
    """What stands in parentheses behind a number, with the name of a unit that is a metric's."""
    found = _IN_OTHER_UNIT.finditer(text) if "(" in text else ()
    return [Pair(match["key"], read(match["value"]), match["value"], match.span("value")) for match in found]
