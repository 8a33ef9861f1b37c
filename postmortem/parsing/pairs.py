"""Every `key=number` of a text, under the name that stands before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers
from postmortem.parsing.called import MOST_WORDS, RATE, known_name, name_before, words_before
from postmortem.parsing.numbers import DURATION, NUMBER, read
from postmortem.parsing.ratios import as_share
from postmortem.parsing.reading import WINDOW, Pair
from postmortem.parsing.splits import OF_THE_RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

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
#: What may follow a number: a unit or a note, not more digits. A range or a change is no value: `17.5 - 27.5`; behind
#: `0.75 - 2ms/step` it is one.
AFTER: Final = (
    r"(?:\s?%|[A-Za-z]{1,3}(?:/[a-z]{1,6})?(?![A-Za-z0-9_.]))?(?![A-Za-z0-9_]|[.:-][0-9])"
    rf"(?!\s*(?:-|{_ARROWS})\s*~?[0-9]+(?:\.[0-9]+)?(?![0-9.]|(?:us|ms|s)(?![A-Za-z0-9_])))"
)
#: A list of one measured number is that number. It begins with one of few characters, for which a search is fast.
_PAIR: Final = re.compile(
    rf"(?P<sep>[=:.\s](?:(?<=[=:])|(?<!\.\.)(?<=\.)\.{{2,}}|(?<=[0-9]\s)is(?=\s)))\s*(?P<list>\[\s*(?=[-+0-9]*(?:\.[0-9]|[eE])|nan))?(?P<value>{DURATION}|{NUMBER}){AFTER}(?(list)\s*\])"
)
#: Several decimal numbers in brackets, and what is measured so for each class.
_ITEM: Final = re.compile(NUMBER)
_LIST: Final = re.compile(
    rf"(?<=[A-Za-z'\"])\s?[=:]?\s?(?:(?:np\.)?array\()?\[\s*(?P<values>(?=[^\[\]]*\.){NUMBER}(?:\s*,\s*{NUMBER})+)\s*\]"
)
_CLASSWISE: Final = ("dice", "iou", "jaccard", "f1")
#: Behind the last argument of a call that has a value.
_ARGUMENT: Final = re.compile(r"\)\s?=\s?[-+.0-9]")
#: One of several that are told apart by their number: `Stage 0 = 1.75  Stage 1 = 0.75`. One alone may be anything.
_NUMBERED: Final = re.compile(r"(?<![\w.=:-])(?P<word>[A-Za-z_]{3,20}) (?P<number>[0-9]{1,3})\s?\Z")
_FEWEST_NUMBERED: Final = 2
#: The class that a measure is of, before its name: `Class 0 Dice: 0.75`.
_OF_CLASS: Final = re.compile(r"(?i)\b(?:class|label|category)[ _#]{0,2}(?P<number>[0-9]{1,4})[ :_-]{1,3}\Z")
#: A dict of what a metric is made of, or a split measures: `loss: {'a': 0.5, 'b': 0.25}`.
_WHOLE_DICT: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)['\"]?\s?[:=]\s?\{(?P<inside>[^{}]*)")
#: The unit of the number before a name: `0.5 sec reader_cost`.
_UNIT: Final = re.compile(rf"\s?(?:secs?|seconds|msec|ms|min|[kKMG]i?B|{RATE})(?=\s+[A-Za-z_])")
#: What a device's number stands behind: `device: cuda:0`.
_DEVICES: Final = frozenset({"cuda", "cpu", "gpu", "npu", "tpu", "xpu", "hpu", "mps"})
#: Files, addresses and places in code, with a line or a port behind the colon.
_NO_NAME: Final = re.compile(
    r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file|pid|port|line|lineno|eta|[ap]m)$|^[/~.]",
    re.IGNORECASE,
)
#: A logger's name and line at the head of a record: `trainer.loop:143 >>`, `loop:381] `, `loop:260 - `.
_LOGGER: Final = re.compile(r":[0-9]+(?=\s*(?:[\])]|>>|\||\s-\s|:))")


def pairs_of(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every `key=number` and `key: number` of a text, in order. Keys keep their spelling."""
    pairs: list[Pair] = []
    keys: set[str] = set()
    numbered: list[Pair] = []
    dicts = [found for found in _WHOLE_DICT.finditer(text) if _is_whole(found["name"], names)] if "{" in text else []
    last = 0
    for found in _PAIR.finditer(text):
        start = max(last, found.start() - WINDOW)
        # a number among the arguments of a call is no end of its name: `accuracy(m, x, 0.0:9) = 0.5`
        last = last if _ARGUMENT.match(text, found.end()) else found.end()
        if pairs and start == pairs[-1].at[1] and (unit := _UNIT.match(text, start, found.start())):
            start = unit.end()
        key, within = name_before(text[start : found.start()], names)
        looked_at += [(start + begin, start + end) for begin, end in within]
        if key and dicts and text[found.start() - 1] in "'\"":
            key = _of_a_whole(key, found.start(), dicts, names)
        if (
            key
            and key not in loggers.LEVELS  # `WARNING: NaN gradient`
            and not _NO_NAME.search(key)
            and not _in_code(found, key, text, names, first=not pairs)
            and not _of_a_device(found, key, text)
        ):
            if key in keys:
                key = _whole_name(text[start : found.start()], key, names)
            keys.add(key)
            pair = Pair(key, read(found["value"]), found["value"], found.span("value"))
            if of := _class_of(key, text, start, found.start()):
                looked_at.append(of.span("number"))
                pair = pair._replace(scope=f"class_{of['number']}")
            pairs.append(as_share(pair, text, names))
        elif key is None and (of := _numbered(text[start : found.start()], names)):
            looked_at.append((start + of.start("number"), start + of.end("number")))
            name = f"{of['word']} {of['number']}"
            numbered.append(Pair(name, read(found["value"]), found["value"], found.span("value")))
    if len(numbered) >= _FEWEST_NUMBERED:
        pairs = sorted([*pairs, *numbered], key=lambda pair: pair.at)
    return [*pairs, *_by_class(text, names)] if "[" in text else pairs


def _class_of(key: str, text: str, start: int, end: int) -> re.Match[str] | None:
    """The class that stands right before a name, in `text` from `start` to before `end`."""
    at = text.rfind(key, start, end)
    return _OF_CLASS.search(text, start, at) if at > start else None


def _numbered(before: str, names: Names) -> re.Match[str] | None:
    """A word and a number at the end of a text, where the word counts nothing."""
    found = _NUMBERED.search(before)
    return found if found and names.counter(found["word"]) is None else None


def _whole_name(before: str, key: str, names: Names) -> str:
    """A name that another number of the record has, with the words that say how this one was taken: `train avg acc`."""
    words = words_before(before, names)[1]
    taken = len(words) <= MOST_WORDS and any(word.lower() in names.taken for word in words)
    return " ".join(words) if taken and key.endswith(words[-1]) else key


def _is_whole(name: str, names: Names) -> bool:
    return names.metric(name).known or names.is_split(name)


def _of_a_whole(key: str, at: int, dicts: list[re.Match[str]], names: Names) -> str:
    """A key of a dict with the name of the metric or of the split that the dict is of."""
    if names.metric(key).name in OF_THE_RUN or names.counter(key) is not None:
        return key
    whole = next((found["name"] for found in dicts if found.start("inside") <= at <= found.end("inside")), None)
    return f"{whole}_{key}" if whole else key


def _by_class(text: str, names: Names) -> Iterator[Pair]:
    """What a list measures class by class: `Pseudo dice [0.75, 0.5]`. A list of anything else may be its history."""
    for found in _LIST.finditer(text):
        before = text[max(0, found.start() - WINDOW) : found.start()].rstrip("'\"")
        key = known_name(before, names)
        if key and names.metric(key).name.endswith(_CLASSWISE):
            for number, value in enumerate(_ITEM.finditer(text, *found.span("values"))):
                yield Pair(key, read(value[0]), value[0], value.span(), f"class_{number}")


def _in_code(found: re.Match[str], key: str, text: str, names: Names, *, first: bool) -> bool:
    """True where key and number are a place in code: the first of a record, unknown, and closed as loggers do it."""
    if not first or names.metric(key).known or names.counter(key) is not None:
        return False
    return _LOGGER.match(text, found.start()) is not None


def _of_a_device(found: re.Match[str], key: str, text: str) -> bool:
    """True where key and number are one value of another key, `device=cuda:0`, or the time of a line of the kernel."""
    device = key in _DEVICES and found.start("value") == found.end("sep")
    of_key = device or text.endswith(f"={key}", 0, found.start())
    value = found["value"].isdigit() and found["sep"] == ":" and of_key
    return value or (found["list"] is not None and key.endswith("kernel"))
