"""Every `key=number` of a text, under the name that stands before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import WINDOW, Pair

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: Arrows and dashes, also as other encodings show their bytes.
_ARROWS: Final = "|".join(
    re.escape(garbled)
    for arrow in "\u2192\u2013\u2014\u21d2"
    for garbled in sorted(
        {arrow, *(arrow.encode().decode(code, "replace") for code in ("mac_roman", "cp1252", "cp1254"))}
    )
)
#: What may follow a number: a unit or a note, not more digits. A range or a change is no value: `17.5 - 27.5`.
AFTER: Final = (
    r"(?:\s?%|[A-Za-z]{1,3}(?:/[a-z]{1,6})?(?![A-Za-z0-9_.]))?(?![A-Za-z0-9_]|[.:-][0-9])"
    rf"(?!\s*(?:-|{_ARROWS})\s*~?[0-9])"
)
_PAIR: Final = re.compile(rf"(?P<sep>[=:]|(?<!\.)\.{{3,}})\s*(?P<value>{NUMBER}){AFTER}")
_QUOTED: Final = re.compile(r"(['\"])([^'\"]{1,80})\1\s*$")
_UNIT_NOTE: Final = re.compile(r"\s*\([^()]{0,30}\)\s*$")
_BOUNDARY: Final = re.compile(
    r"[,;|{}\[\]()\"=:<>!?\t]|'(?!s\s)|\s{2,}|\s-\s|->"
    # a name in Latin letters right behind Chinese, Japanese or Korean words
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af](?=[A-Za-z])"
)
#: Files, addresses and places in code, with a line or a port behind the colon.
_NO_NAME: Final = re.compile(
    r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file|pid|port|line|lineno)$|^[/~.]", re.IGNORECASE
)
#: A logger's name and line at the head of a record: `trainer.loop:143 >>`, `loop:381] `, `loop:260 - `.
_LOGGER: Final = re.compile(r":[0-9]+(?=\s*(?:\]|>>|\||\s-\s|:))")
_DIGIT: Final = re.compile(r"[0-9]")
_MOST_WORDS: Final = 4


def pairs_of(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every `key=number` and `key: number` of a text, in order. Keys keep their spelling."""
    pairs: list[Pair] = []
    last = 0
    for found in _PAIR.finditer(text):
        start = max(last, found.start() - WINDOW)
        last = found.end()
        key = _key(text[start : found.start()], names, start, looked_at)
        if key and not _NO_NAME.search(key) and not _in_code(found, key, text, names, first=not pairs):
            pairs.append(Pair(key, read(found["value"]), found["value"], found.span("value")))
    return pairs


def _in_code(found: re.Match[str], key: str, text: str, names: Names, *, first: bool) -> bool:
    """True where key and number are a place in code: the first of a record, unknown, and closed as loggers do it."""
    return first and not names.metric(key).known and _LOGGER.match(text, found.start()) is not None


def _key(before: str, names: Names, start: int, looked_at: list[Where]) -> str | None:
    """The name at the end of `before`: the longest run of words that somebody knows, else all up to four."""
    end = start + len(before)
    if quoted := _QUOTED.search(before):
        if _DIGIT.search(quoted[2]):
            looked_at.append((start + quoted.start(2), start + quoted.end(2)))
        return quoted[2]
    before = _UNIT_NOTE.sub("", before).rstrip()
    cut = 0
    for boundary in _BOUNDARY.finditer(before):
        cut = boundary.end()
    words = [word.removesuffix("'s") for word in before[cut:].split()]
    while words and not (words[0][0].isalpha() or words[0][0] == "_"):
        del words[0]
    words = _behind_counter(words, names)
    if not words or words[-1][0].isdigit():
        return None  # `loss 0.117 = 0.1 + 0.017`: the number stands before the sign
    phrase = _name(words, names)
    if any(names.digits_matter(" ".join(words[first:])) for first in range(len(words))):
        looked_at.append((start + cut, end))
    if _DIGIT.search(phrase):
        looked_at.append((start + cut + before[cut:].index(words[-phrase.count(" ") - 1]), end))
    return phrase


def _behind_counter(words: list[str], names: Names) -> list[str]:
    """The words behind a counter and its number: `Episode 10 Average Score`."""
    for at in range(len(words) - 1, 0, -1):
        if words[at][0].isdigit() and words[at - 1].lower() in names.counters:
            return words[at + 1 :]
    return words


def _name(words: list[str], names: Names) -> str:
    """The longest end of `words` that somebody knows, with the words before it that make it another's."""
    for first in range(len(words)):
        phrase = " ".join(words[first:])
        if names.metric(phrase).known or names.setting(phrase):
            while first and names.qualifies(words[first - 1]):
                first -= 1  # noqa: PLW2901 - the search is over
            return " ".join(words[first:][-_MOST_WORDS:])
    return " ".join(words if len(words) <= _MOST_WORDS else words[-1:])
