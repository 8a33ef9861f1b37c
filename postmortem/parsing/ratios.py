"""Shares that are printed as how many of how many: `Accuracy: 7500/10000 (75%)`, `acc: 75/100`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.called import known_name
from postmortem.parsing.numbers import read
from postmortem.parsing.reading import WINDOW, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.names import Names

#: Of all answers; what has one of these names is no count.
_SHARES: Final = frozenset({"accuracy", "f1", "precision", "recall", "top5"})
_OF: Final = re.compile(r"\s?/\s?[0-9]{1,12}(?![\w.%/])")
#: With no sign between the name and it, and the percentage behind: `Accuracy 7/40 = 17.50%`.
_BARE: Final = re.compile(r"(?<=[A-Za-z])\s(?P<value>[0-9]{1,12}\s?/\s?[0-9]{1,12})(?=\s?[=(]\s?[0-9.]+\s?%)")
#: Behind how many of how many, their percentage.
_PERCENT: Final = re.compile(r"\s?[=(]\s?[0-9.]{1,20}\s?%")
#: Right answers of all with no sign between: `correct 45/60 (75%)`, `45/60 correct (75%)`.
_RIGHT: Final = re.compile(
    r"(?i)(?:\bcorrect\s+(?P<value>[0-9]{1,12}\s?/\s?[0-9]{1,12})"
    rf"|(?<![\w./])(?P<before>[0-9]{{1,12}}\s?/\s?[0-9]{{1,12}})\scorrect){_PERCENT.pattern}"
)
_ALL_RIGHT: Final = "accuracy"


def as_share(pair: Pair, text: str, names: Names) -> Pair:
    """The pair, its value the ratio where it is such a share: finer than the percentage that may stand behind it."""
    of = _OF.match(text, pair.at[1]) if pair.text.isdigit() else None
    if of is None:
        return pair
    # right answers have no other name than how many they are
    named = _ALL_RIGHT if pair.key.lower() == "correct" and _PERCENT.match(text, of.end()) else pair.key
    if names.metric(named).name not in _SHARES:
        return pair
    printed = text[pair.at[0] : of.end()]
    return pair._replace(key=named, value=read(printed), text=printed, at=(pair.at[0], of.end()))


def bare_shares(text: str, names: Names) -> Iterator[Pair]:
    """Every share that is printed right behind its name, with its percentage behind it."""
    for found in _BARE.finditer(text) if "%" in text and "/" in text else ():
        key = known_name(text[max(0, found.start() - WINDOW) : found.start()], names)
        if key and names.metric(key).name in _SHARES:
            yield Pair(key, read(found["value"]), found["value"], found.span("value"))


def right_of_all(text: str) -> Iterator[Pair]:
    """Every number of right answers out of all, with its percentage behind it."""
    for found in _RIGHT.finditer(text) if "%" in text and "/" in text else ():
        at = found.span("value" if found["value"] else "before")
        printed = text[slice(*at)]
        yield Pair(_ALL_RIGHT, read(printed), printed, at)
