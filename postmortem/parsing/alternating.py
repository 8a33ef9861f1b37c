"""A line that is nothing but names and numbers in turn: all of them are values.

`step 1 ctc_loss inf labels 144`, or behind the word of a split, `valid cost 2.25 err 0.75`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Pair
from postmortem.parsing.words import NO_KEY, look, names_loss, only_metric

if TYPE_CHECKING:
    from collections.abc import Collection

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: A number in letters is no name: if it might be both, to find out which takes time without end.
_WORD: Final = rf"(?!(?:{NO_KEY})\s|(?i:nan|inf|infinity)[\s:,])[A-Za-z_]"
_NAME: Final = rf"{_WORD}[\w/-]{{0,40}}"
_SPLIT: Final = rf"{_WORD}[A-Za-z]{{1,11}}[:,]?\s+(?={_NAME}\s)"
_END: Final = r"(?:\s*[,;|])?(?=\s|$)"
_EACH: Final = re.compile(rf"(?P<split>{_SPLIT})?(?P<key>{_NAME})\s+(?P<value>{NUMBER}){_END}")
_ALL: Final = re.compile(rf"\s*(?:[|\[(]\s*)?(?:(?:{_SPLIT})?{_NAME}\s+(?:{NUMBER}){_END}\s*)+")
#: Two of them are a sentence as often: `Epoch 3 took 20`.
_FEWEST: Final = 3
#: Where each is of a split, and one or more is a decimal number.
_FEWEST_OF_SPLITS: Final = 2


def alternating(text: str, taken: Collection[Where], names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every `key 173` of such a text but counters and those `taken`; none where no split and no metric is named."""
    if not _ALL.fullmatch(text):
        return []
    matches = list(_EACH.finditer(text))
    found, split = [], ""
    for match in matches:
        own = (match["split"] or "").rstrip(":, \t")
        if own and not names.is_split(own):
            return []
        split = own or split  # `train cost 2.25 err 0.75`: both
        if match.span("value") not in taken and names.counter(match["key"]) is None:
            look(match["key"], text, match.span("key"), looked_at)
            key = f"{split} {match['key']}" if split else match["key"]
            found.append(Pair(key, read(match["value"]), match["value"], match.span("value")))
    return found if _measures(matches, names, of_splits=bool(split)) else []


def _measures(matches: list[re.Match[str]], names: Names, *, of_splits: bool) -> bool:
    if of_splits and len(matches) >= _FEWEST_OF_SPLITS and any("." in match["value"] for match in matches):
        return True
    return len(matches) >= _FEWEST and any(
        only_metric(match["key"], names) or names_loss(match["key"]) for match in matches
    )
