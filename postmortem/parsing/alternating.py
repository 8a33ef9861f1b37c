"""A line that is nothing but names and numbers in turn, `step 1 ctc_loss inf labels 144`: all of them are values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Pair
from postmortem.parsing.words import NO_KEY, look, only_metric

if TYPE_CHECKING:
    from collections.abc import Collection

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

_NAME: Final = rf"(?!(?:{NO_KEY})\s)[A-Za-z_][\w/-]{{0,40}}"
_END: Final = r"(?:\s*[,;|])?(?=\s|$)"
_EACH: Final = re.compile(rf"(?P<key>{_NAME})\s+(?P<value>{NUMBER}){_END}")
_ALL: Final = re.compile(rf"\s*(?:[|\[(]\s*)?(?:{_NAME}\s+(?:{NUMBER}){_END}\s*)+")
#: Two of them are a sentence as often: `Epoch 3 took 20`.
_FEWEST: Final = 3


def alternating(text: str, taken: Collection[Where], names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every `key 173` of such a text but counters and those `taken`; none where it names no metric that is known."""
    if not _ALL.fullmatch(text):
        return []
    matches = list(_EACH.finditer(text))
    if len(matches) < _FEWEST or not any(only_metric(match["key"], names) for match in matches):
        return []
    found = []
    for match in matches:
        if match.span("value") not in taken and names.counter(match["key"]) is None:
            look(match["key"], text, match.span("key"), looked_at)
            found.append(Pair(match["key"], read(match["value"]), match["value"], match.span("value")))
    return found
