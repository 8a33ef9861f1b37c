"""Sentences that say of a metric that it is not finite: `Loss became NaN`, `NaN detected in loss`, `nan loss at 3`.

Scripts that test a value often print such a sentence and not the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.called import known_name
from postmortem.parsing.numbers import read
from postmortem.parsing.reading import WINDOW, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.names import Names

_VALUE: Final = r"(?P<value>(?i:nan|inf(?:inity)?))s?"
_FOUND: Final = r"(?i:detected|found|encountered|occurred|appeared|seen|observed)"
_KEY: Final = r"(?P<key>[A-Za-z_]\w{0,40}(?:\s[A-Za-z_]\w{0,40}){0,2})"
#: What it became; the name stands before.
_BECAME: Final = re.compile(
    rf"(?<=\w)\s+(?i:has\s+)?(?i:becomes?|became|turned|turns|went|goes)\s+(?i:to\s+|into\s+)?{_VALUE}\b"
)
#: What it was found in, or of what it is; the name stands behind.
_OF: Final = (
    re.compile(rf"\b{_VALUE}(?i:\s+values?)?(?i:\s+(?:was|were|is|are))?\s+{_FOUND}\s+in\s+(?i:the\s+)?{_KEY}"),
    re.compile(rf"\b{_FOUND}\s+(?i:an?\s+)?{_VALUE}(?i:\s+values?)?\s+in\s+(?i:the\s+)?{_KEY}"),
    re.compile(rf"\b{_VALUE}\s+{_KEY}(?=\s+(?:{_FOUND}|at)\b)"),
)
#: It is not said to be so: `check for nan in loss`, `no NaN found in loss`.
_NOT_SAID: Final = re.compile(
    r"(?i)\b(?:avoid\w*|check\w*|for|if|ignor\w*|never|no|not|prevent\w*|unless|when\w*|without)\b"
)


def pairs_said(text: str, names: Names) -> Iterator[Pair]:
    """Each metric that a text says is not finite, under the name that it has there."""
    lowered = text.casefold()
    if "nan" not in lowered and "inf" not in lowered:
        return
    for found in _BECAME.finditer(text):
        key = known_name(text[max(0, found.start() - WINDOW) : found.start()], names)
        if key and names.metric(key).known and not _NOT_SAID.search(text, 0, found.start()):
            yield _pair(key, found)
    for pattern in _OF:
        for found in pattern.finditer(text):
            key = _known(found["key"], names)
            if key and not _NOT_SAID.search(text, 0, found.start()):
                yield _pair(key, found)


def _known(words: str, names: Names) -> str | None:
    """The longest beginning of some words that is a metric's name."""
    parts = words.split()
    phrases = (" ".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((phrase for phrase in phrases if names.metric(phrase).known), None)


def _pair(key: str, found: re.Match[str]) -> Pair:
    return Pair(key, read(found["value"]), found["value"], found.span("value"))
