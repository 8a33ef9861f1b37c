"""Names and their values as two lists: `loss/acc: 0.5/0.75`, `[Loss, Acc]: [7.5, 0.25]`, `loss, acc => 0.5, 0.75`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Pair
from postmortem.parsing.splits import OF_LETTER
from postmortem.parsing.words import look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

_NAME: Final = r"[A-Za-z][\w.@-]{0,30}(?: [A-Za-z][\w.@-]{0,30}){0,2}"
_VALUE: Final = rf"(?:{NUMBER})\s?%?"
_SLASH: Final = r"\s?/\s?"
_COMMA: Final = r"\s*[,|/]\s*"
#: More of them are a path or a vector. They have slashes between, `Train/Val loss: 0.5/0.25`, or are in brackets; the
#: brackets may hold the splits of one measure: `loss (train/val): 0.5/0.25`.
_LISTS: Final = re.compile(
    rf"(?<![\w@])(?P<names>(?:{_NAME}{_SLASH}){{1,7}}{_NAME})\s*[:=]?\s*(?P<values>(?:{_VALUE}{_SLASH}){{1,7}}{_VALUE})(?![\w/.])"
    rf"|(?<![\w@])(?P<of>{_NAME})\s?\((?P<splits>(?:[A-Za-z]{{1,12}}{_SLASH}){{1,7}}[A-Za-z]{{1,12}})\)\s*[:=]?\s*"
    rf"(?P<each>(?:{_VALUE}{_SLASH}){{1,7}}{_VALUE})(?![\w/.])"
    rf"|[\[(]\s*(?P<names_in>(?:{_NAME}{_COMMA}){{1,7}}{_NAME})\s*[\])]\s*[:=]\s*"
    rf"[\[(]\s*(?P<values_in>(?:{_VALUE}{_COMMA}){{1,7}}{_VALUE})\s*[\])]"
    rf"|(?<![\w@])(?P<names_to>(?:{_NAME}\s*,\s*){{1,7}}{_NAME})\s*[=-]{{1,4}}>\s*"
    rf"(?P<values_to>(?:{_VALUE}\s*,\s*){{1,7}}{_VALUE})(?![\w/.])"
)
#: Without one of these no list is looked for.
_SIGNS: Final = ("/", "]", ")", ">")
#: The list of values that each list of names has.
_VALUES_OF: Final = {"names": "values", "splits": "each", "names_in": "values_in", "names_to": "values_to"}
_EACH_NAME: Final = re.compile(_NAME)
_EACH_VALUE: Final = re.compile(NUMBER)


def listed(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every value of such a list, where as many values as names stand there, and somebody knows one of the names."""
    found: list[Pair] = []
    for match in _LISTS.finditer(text) if any(sign in text for sign in _SIGNS) else ():
        group = next(name for name in _VALUES_OF if match[name] is not None)
        values = list(_EACH_VALUE.finditer(text, *match.span(_VALUES_OF[group])))
        keys = list(_keys(match, group, names))
        if len(keys) == len(values) and any(_known(key, names) for key in keys):
            look(match[group], text, match.span(group), looked_at)
            found += [
                Pair(key, read(value[0]), value[0], value.span()) for key, value in zip(keys, values, strict=True)
            ]
    return found


def _known(key: str, names: Names) -> bool:
    return names.metric(key).known or names.metric(key.rpartition(" ")[2]).known


def _keys(match: re.Match[str], group: str, names: Names) -> Iterator[str]:
    """The names of such a list, each with what it shares with the others: a split before them, a measure behind."""
    words = [found[0].split() for found in _EACH_NAME.finditer(match[group])]
    if group == "names_to" and len(words[0]) == 1 and names.is_split(words[0][0]):
        of, *others = (" ".join(name) for name in words)  # `val, round, loss => 3, 0.5`
        yield from (name if names.counter(name) else f"{of} {name}" for name in others)
        return
    if group == "splits":
        yield from (f"{split} {match['of'].split()[-1]}" for (split,) in words)
        return
    parts = [words[0][-1], *(word for name in words[1:] for word in name)]
    splits = [OF_LETTER.get(part.lower(), part) for part in parts]
    if words[0][:-1] and len(parts) == len(words) and all(map(names.is_split, splits)) and _known(words[0][-2], names):
        yield from (f"{split} {words[0][-2]}" for split in splits)  # `loss train/val 0.5/0.25`
        return
    last = words[-1]
    shared = last[1:] if group == "names" else []  # `Train/Val loss`, `D/G loss`
    if shared and all(_known(" ".join([*first[-1:], *shared]), names) for first in words[:-1]):
        yield from (" ".join([*first[-1:], *shared]) for first in words[:-1])
        yield " ".join(last)
        return
    before = [word for word in words[0][:-1] if names.is_split(word)] if group == "names" else []  # `train loss/acc`
    for place, name in enumerate(words):
        own = name[-1:] if group == "names" and place == 0 else name
        yield " ".join([*before, *own])
