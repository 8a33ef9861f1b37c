"""A word with a decimal number behind it, `loss 2.31`: whole numbers are too often something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.called import known_name
from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.pairs import AFTER
from postmortem.parsing.reading import WINDOW, Pair

if TYPE_CHECKING:
    from collections.abc import Collection

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: Words before a number that name nothing: `of 0.5`, `increased from 79.5 to 82.25`.
NO_KEY: Final = (
    "is|was|of|now|from|to|than|by|at|and|with|about|around|roughly|near|over|in|for|took|takes|en|de|del|di|du|dans"
)
#: Words between a name and its number: `lr is now 1e-4`, `learning rate reduced to 1e-5`.
_BECOMES: Final = (
    "is|was|of|now|(?:set|reset|reduced|decreased|decayed|dropped|lowered|increased|raised|changed|adjusted|updated) to"
)
#: What a decimal number that a word may have before it begins with.
_DECIMAL: Final = re.compile(r"\s[-+]?(?:[0-9]*\.|[0-9]+[eE]|(?i:nan|inf))")
_WORDS: Final = re.compile(
    rf"(?<![\w./=:-])(?:(?P<split>[A-Za-z]{{2,10}})\s)?(?P<key>(?!(?:{NO_KEY})\s)(?:[A-Za-z_]|[^\W\d]{{2}})[\w/@-]{{0,40}})"
    rf"(?:\((?:s|ms|min|sec|%)\)|\s?\((?:micro|macro|weighted)(?: avg)?\))?(?:\s+so\s+far)?"
    rf"\s+(?:(?:{_BECOMES})\s+){{0,3}}"
    rf"(?P<value>(?=[-+0-9.]*[.eE]|[+-]?(?i:nan|inf))(?:{NUMBER})){AFTER}"
)
#: A whole number behind a name, and nothing else before the next of them.
_WHOLE: Final = re.compile(
    r"(?<![\w./=:-])(?P<key>[A-Za-z][\w/@-]{0,40})\s(?P<value>[-+]?[0-9]{1,9})(?=\s?(?:[,;|]|\Z))"
)
#: How much an agent explores, all or nothing, between other values: `Epsilon 1 - Learning Rate 0.0002`.
_EXPLORES: Final = re.compile(r"(?<![\w./=:-])(?P<key>[Ee]psilon)\s(?P<value>[01])(?=\s(?:[-|,;]\s|\Z))")
#: The norm of something: `|g|  0.25`.
_NORM: Final = re.compile(
    rf"(?<![|\w])\|{{1,2}}(?P<of>[A-Za-z]\w{{0,20}})\|{{1,2}}\s{{1,4}}(?P<value>(?=[-+0-9.]*[.eE]|[+-]?(?i:nan|inf))(?:{NUMBER})){AFTER}"
)
#: A name in brackets: `| [Loss] 0.5 | [exp] ./run |`.
_BRACKETED: Final = re.compile(
    rf"(?<![\w\]])\[(?P<key>[A-Za-z][\w ]{{0,30}})\]\s{{1,4}}(?P<value>{NUMBER})(?=\s*(?:[|,;]|$))"
)
#: A number of training beside one of what is held out: they are measured, whatever they are: `train 2.5 | val 2.25`.
_BOTH: Final = re.compile(
    r"(?i)(?<![\w-])tr(?:n|ain|aining)?\s[0-9]*\.[0-9]+[\s|,:;/-]{1,5}(?:va|val|valid|validation|te|test|dev|eval)\s[0-9]*\.[0-9]"
)
#: Alone in its record, far from its number: `game_sign_acc      0.4468  (44.7%)`.
_NAMED_ROW: Final = re.compile(
    rf"\s*(?P<key>[a-z][a-z0-9]*(?:_[A-Za-z0-9]+)+)\s{{2,}}(?P<value>(?=[-+0-9]*\.){NUMBER})(?:\s+\([0-9.]+\s?%\))?\s*"
)
#: What the number before it is counted in, and no name of the one behind: `step 812.1 ms 5043.0 tok/s`.
_UNIT: Final = re.compile(
    r"(?:[mu]?s|secs?|seconds|minutes|mins?|hours|h|[kKMGT]i?B|bytes|tokens|samples|images|(?:\w+/)+\w+)\Z"
)
#: A sentence of what was averaged: `average LL is -0.25`.
_AVERAGED: Final = re.compile(r"(?i)\b(?P<key>(?:average|avg|mean) [a-z_][\w/-]{0,40})\s+(?:is|was)\s+\Z")
#: A time, behind its number: `train 2.5s`.
_TIME: Final = re.compile(r"\s?(?:ms|s|secs?|min|h)(?![A-Za-z0-9_/])")
#: Words that stand apart from what is before them, and close together, are a name: `probe 35.0  mean of images 0.9`.
_PHRASE: Final = re.compile(r"(?:(?<=\s\s)|(?<=[|,;]\s))(?P<words>[A-Za-z]{2,}(?: [A-Za-z]{2,}){1,3})\Z")
_DIGIT: Final = re.compile(r"[0-9]")
#: Whatever it is of, a loss by its name: `discrim_loss`, `gen_loss_L1`.
_LOSS: Final = re.compile(r"\w+_loss(?:_[A-Z0-9]\w{0,20})?")


def words_of(text: str, taken: Collection[Where], names: Names, looked_at: list[Where], *, placed: bool) -> list[Pair]:
    """Every `key 2.5` of a text but those `taken`; `val loss 2.5` keeps what stands before its last word.

    A name that nobody knows counts where the line is `placed`: where it counts or measures something before it.
    """
    if not _DECIMAL.search(text):
        return []
    placed = placed or ("tr" in text.lower() and _BOTH.search(text) is not None)
    found, last = [], 0
    for match in _WORDS.finditer(text):
        start, last = max(last, match.start() - WINDOW), match.end()
        if match.span("value") in taken or match["key"].lower() in names.counters or _is_unit(match, names):
            continue
        key = known_name(text[start : match.end("key")], names) or _of_split(match, names)
        look(key, text, (start, match.end("key")), looked_at)
        if names.is_split(key) and _TIME.match(text, match.end("value")):
            key = f"{key} time"
        known = only_metric(key, names) or names_loss(key) or (placed and names.metric(key).known)
        if not known and (phrase := _PHRASE.search(text, start, match.end("key"))):
            key = phrase["words"]
        if not known and (averaged := _AVERAGED.search(text[start : match.start("value")])):
            key, known = averaged["key"], True
        # a word before `nan` is as often `for` as a metric
        if (placed and _DIGIT.search(match["value"])) or known:
            found.append(Pair(key, read(match["value"]), match["value"], match.span("value")))
        placed = placed or known
    return found + _marked(text, taken, names, placed=placed)


def _marked(text: str, taken: Collection[Where], names: Names, *, placed: bool) -> list[Pair]:
    """What stands under a name in brackets or bars, and how much an agent explores, where that is a whole number."""
    found = []
    if "] " in text:
        found += [(each["key"], each) for each in _BRACKETED.finditer(text) if names.metric(each["key"]).known]
    if placed and "psilon" in text:
        found += [(each["key"], each) for each in _EXPLORES.finditer(text)]
    if placed and "|" in text:
        found += [(f"{each['of']} norm", each) for each in _NORM.finditer(text)]
    return [
        Pair(key, read(each["value"]), each["value"], each.span("value"))
        for key, each in found
        if each.span("value") not in taken
    ]


def whole_of(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Of a record that counts and holds nothing else, what everybody knows as a measure: `Episode 5 reward 12`."""
    pairs = []
    for found in _WHOLE.finditer(text):
        look(found["key"], text, found.span("key"), looked_at)
        if only_metric(found["key"], names) and found["key"].lower() not in names.counters:
            pairs.append(Pair(found["key"], read(found["value"]), found["value"], found.span("value")))
    return pairs


def row_of(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """The name and the number that a record consists of."""
    found = _NAMED_ROW.fullmatch(text)
    if found is None or names.setting(found["key"]) is not None:
        return []
    look(found["key"], text, found.span("key"), looked_at)
    return [Pair(found["key"], read(found["value"]), found["value"], found.span("value"))]


def look(key: str, text: str, within: Where, looked_at: list[Where]) -> None:
    """Note where the digits of a name stand: others would make it another name."""
    looked_at += [
        (at, at + len(word)) for word in key.split() if _DIGIT.search(word) and (at := text.rfind(word, *within)) >= 0
    ]


def only_metric(key: str, names: Names) -> bool:
    """True for the name of a metric that is no setting's too."""
    return names.metric(key).known and names.setting(key) is None


def names_loss(key: str) -> bool:
    """True for a loss by its name, whatever it is of."""
    return _LOSS.fullmatch(key.replace(" ", "_")) is not None


def _is_unit(found: re.Match[str], names: Names) -> bool:
    """True where the word belongs to a number before it; not so `train/loss 0.5 val/loss 0.75`."""
    before = found.string[: found.start("key")].rstrip()
    measured = names.is_split(found["key"].partition("/")[0])
    return before[-1:].isdigit() and not measured and _UNIT.match(found["key"]) is not None


def _of_split(found: re.Match[str], names: Names) -> str:
    """The one word of which nobody knows more, with a split before it."""
    split = found["split"]
    return f"{split} {found['key']}" if split and split.lower() in names.splits else found["key"]
