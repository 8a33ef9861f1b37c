"""Settings whose value is one of few words: `dtype torch.float16`, `optimizer: AdamW`, `reduction=sum`, in any line."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from postmortem.parsing.reading import WINDOW, Assignment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

_DIGIT: Final = re.compile(r"[0-9]")
#: The word before a key, where it may make it another's: `compute dtype`.
_BEFORE: Final = re.compile(r"(?P<sign>[=:]\s?)?(?P<word>[A-Za-z]+)[ _-]\Z")
#: An argument of a call that is not closed yet, in a line of code that a traceback or a report quotes.
_IN_A_CALL: Final = re.compile(r"\w\((?:[^()]|\([^()]*\))*\Z")


def worded(text: str, names: Names, looked_at: list[Where]) -> Iterator[Assignment]:
    """Every setting of a text whose value is a word that it is known to have.

    Not so what an error says, which names what was expected as well.
    """
    lowered = text.lower()
    for spellings, pattern in _patterns(names):
        if not any(spelling in lowered for spelling in spellings):
            continue
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - WINDOW) : found.start()]  # a record may be long, and all of it letters
            if not (_of_another(before, names) or _IN_A_CALL.search(before) or "rror" in text):
                if _DIGIT.search(found["value"]):
                    looked_at.append(found.span("value"))
                yield Assignment(found["key"], found["value"], None, found.span("value"))


@lru_cache(maxsize=8)
def _patterns(names: Names) -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    """For each of these settings how a line has it in lower case, and the expression that finds it with its value."""
    found = []
    for setting, values in names.worded.items():
        spellings = [s for s, name in names.settings.items() if name == setting] or [setting]
        spellings.sort(key=len, reverse=True)
        keys = "|".join(spelling.replace("_", "[ _-]?") for spelling in spellings)
        pattern = re.compile(
            rf"(?i)(?<![\w.])(?P<key>{keys})(?:\s?[=:]|\s(?:is|of))?\s?['\"]?(?<![A-Za-z0-9])(?P<value>{values})(?![\w.]\w)"
        )
        found.append((tuple({spelling.split("_")[0] for spelling in spellings}), pattern))
    return tuple(found)


def _of_another(text: str, names: Names) -> bool:
    """Whether a text's last word says of what the key behind it is, and is no value, as in `optimizer=sgd dtype=x`."""
    before = _BEFORE.search(text)
    return before is not None and not before["sign"] and before["word"].lower() not in names.plain
