"""The name at the end of a text, before a number: which of its words are it, and what they say that it is of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

_QUOTED: Final = re.compile(r"(['\"])([^'\"]{1,80})\1\s*$")
_UNIT_NOTE: Final = re.compile(r"\s*\([^()]{0,30}\)\s*$")
#: A name with its split in brackets: `loss(val)`, `Accuracy (test)`.
_OF_A_SPLIT: Final = re.compile(r"(?P<name>[A-Za-z_]\w{0,40})\s?\((?P<split>[A-Za-z]{2,12})\)\Z")
#: Words about a name before the place where it was measured: `Training loss (for one batch) at step 100`.
_NOTE: Final = re.compile(r"\s\([A-Za-z ]{1,30}\)(?=\s(?:at|after)\s[a-z]+\s[0-9]+$)")
#: What a value was averaged over: `Average reward over the last 100 episodes`, `Mean reward over 10 episodes`.
_OVER_THE_LAST: Final = re.compile(
    r"\s(?:over|(?:over|of|in|for)\s(?:the\s)?(?:last|past|previous))\s[0-9]{1,6}\s[A-Za-z]{1,20}\Z", re.IGNORECASE
)
#: What was taken of what, as a call: `avg(reward)`.
_TAKEN_OF: Final = re.compile(r"\b(?P<how>avg|mean|average|max|min|sum|median)\((?P<of>[A-Za-z]\w{0,40})\)\s*$")
_BOUNDARY: Final = re.compile(
    r"[,;|{}\[\]()\"=:<>!?\t]|'(?!s\s)|\s{2,}(?!\s*[0-9]+(?:/[0-9]+)?$)|\s-{1,4}\s|->|(?<=[a-z]{6})\.\s"
    # a name in Latin letters right behind Chinese, Japanese or Korean words
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af](?=[A-Za-z])"
)
#: What a discriminator says of data, and of what a generator makes of noise: `D(x): 0.5`, `D(G(z)): 0.5`.
_JUDGED: Final = re.compile(r"(?<![\w(])(?P<key>D\((?:x|real|G\(z\)|G|fake)\))\s*$")
#: The norm of something, `|Param|: 879.76`, and one of several in the middle of a name, `EvalErr[0]PerSample`.
_NORM_OF: Final = re.compile(r"\|(?P<of>[A-Za-z]\w{0,40})\|\s?$")
_ONE_OF: Final = re.compile(r"(?<=[A-Za-z])\[[0-9]{1,3}\](?=[A-Za-z])")
#: What is measured at a threshold: `mAP 0.5 : 0.68`.
_AT_THRESHOLD: Final = re.compile(r"(?i)(?:m?a[pr]|iou|recall|precision|f1|pck|auc) 0?\.[0-9]{1,2}")
#: What is a value itself, and no part of a name: `validate 0.37 nats`, `0% 10% 20% best acc`.
_VALUE: Final = re.compile(r"[0-9]+\.[0-9]+%?|[0-9]+%")
#: The unit of a number before a name: `21.7 examples/sec lr=0.001`.
RATE: Final = r"[A-Za-z]{1,12}/(?:s|sec|second|step|it|iter|batch)"
_RATE: Final = re.compile(RATE)
#: A counter and its number in one word, `Epoch#3.`, `Ep.03`.
_COUNTED: Final = re.compile(r"(?P<word>[A-Za-z]+)[#.][0-9]+[.,]?")
_COUNT: Final = re.compile(r"[0-9]+(?:/[0-9]+)?")
#: Between a name and where it was taken: `Loss at step 100`, `Accuracy on the test set`.
_AT: Final = frozenset({"at", "after", "in", "for", "on", "of", "over", "during"})
#: Between a name and the sign before its value.
_VERBS: Final = frozenset({"is", "was", "are", "were"})
_LATER: Final = frozenset({"at", "after", "during"})
#: Of all that a split has, or of the model; other words are of a class of it: `Accuracy of cats`.
_WHOLE: Final = frozenset({"all", "set", "data", "dataset", "images", "samples", "examples", "entire", "whole"})
#: Before the next of several values: `stopped with best_epoch = 9 and best_auc = 0.75`.
_JOINS: Final = frozenset({"and", "with"})
MOST_WORDS: Final = 4
#: Texts before numbers: as many as a log with hundreds of metrics has, each no longer than the window.
_REMEMBERED: Final = 4_096
#: Of a name that nobody knows, as long as it is no sentence: `Average number of tokens per sample: 12.5`.
_LONGEST_NAME: Final = 7
_DIGIT: Final = re.compile(r"[0-9]")


@lru_cache(maxsize=_REMEMBERED)
def name_before(before: str, names: Names) -> tuple[str | None, tuple[Where, ...]]:
    """The name at the end of `before`: the longest run of words that somebody knows, else all up to four.

    And where in it numbers were looked at. Line after line has the same texts between its numbers.
    """
    looked_at: list[Where] = []
    if quoted := _QUOTED.search(before):
        if _DIGIT.search(quoted[2]):
            looked_at.append(quoted.span(2))
        return quoted[2], tuple(looked_at)
    if before.endswith(("|", "| ")) and (normed := _NORM_OF.search(before)):
        return f"{normed['of']} norm", (normed.span("of"),) if _DIGIT.search(normed["of"]) else ()
    if before.rstrip().endswith(")") and (judged := _JUDGED.search(before)):
        return judged["key"], ()
    cut, words = words_before(before, names)
    if not words or words[-1][0].isdigit():
        # `loss 0.117 = 0.1 + 0.017`: the number stands before the sign
        return " ".join(words) if _AT_THRESHOLD.fullmatch(" ".join(words)) else None, ()
    phrase = _known(words, names) or _taken(words, names) or " ".join(_unknown(words))
    if any(names.digits_matter(" ".join(words[first:])) for first in range(len(words))):
        looked_at.append((cut, len(before)))
    if _DIGIT.search(phrase):
        # without the index that stood in it a name is not there as it is printed
        looked_at.append((max(cut, before.find(words[-phrase.count(" ") - 1], cut)), len(before)))
    return phrase, tuple(looked_at)


def _unknown(words: list[str]) -> list[str]:
    """Those words before a number that may be its name, of which nobody knows any: all, or of a sentence the last."""
    measured = next((place for place in reversed(range(len(words))) if _VALUE.fullmatch(words[place])), -1)
    words = words[measured + 1 :]
    named = len(words) <= _LONGEST_NAME and all(word.isalpha() for word in words)
    return words if named or len(words) <= MOST_WORDS else words[-1:]


def known_name(before: str, names: Names) -> str | None:
    """The name at the end of `before` that somebody knows, with the words that make it another's."""
    return _known(words_before(before, names)[1], names)


def words_before(before: str, names: Names) -> tuple[int, list[str]]:
    """The words at the end of `before` that may name what follows, and where the first of them may stand."""
    before = _OVER_THE_LAST.sub("", before.rstrip())
    if before.endswith(")") and (of := _OF_A_SPLIT.search(before)) and names.is_split(of["split"]):
        before = f"{before[: of.start()]}{of['split']} {of['name']}"
    elif before.endswith(")"):
        before = _UNIT_NOTE.sub("", _TAKEN_OF.sub(r"\g<how> \g<of>", before)).rstrip()
    elif ")" in before:
        before = _NOTE.sub("", before)
    if "]" in before:
        before = _ONE_OF.sub("", before)
    cut = 0
    for boundary in _BOUNDARY.finditer(before):
        cut = boundary.end()
    words = [word.removesuffix("'s") for word in before[cut:].split()]
    # the value of the key before it is no part of the name: `optimizer=sgd lr=3.0`; that of `split=val loss=2.0` is
    if len(words) > 1 and before[:cut].endswith("=") and not before[cut].isspace() and not names.is_split(words[0]):
        del words[0]
    if words and words[-1][0] == "#" and names.setting(words[-1][1:]):  # the number of them: `#parameters: 18824413`
        words[-1] = words[-1][1:]
    words = _behind_counter(_before_place(words, names), names)
    return cut, _from_a_word(words)


def _from_a_word(words: list[str]) -> list[str]:
    """The words from the first on that is no number, nor the unit of one, nor joins what was before."""
    first = 0
    while first < len(words) and not (words[first][0].isalpha() or words[first][0] == "_"):
        first += 1
    if 0 < first < len(words) - 1 and words[first - 1][0].isdigit() and _RATE.fullmatch(words[first]):
        first += 1
    if first < len(words) - 1 and words[first] in _JOINS:
        first += 1
    return words[first:]


def _before_place(words: list[str], names: Names) -> list[str]:
    """The words before the place where something was measured: `Cost after iteration 100`, `loss of epoch 3 is`."""
    if len(words) > 1 and words[-1].lower() in _VERBS:
        words = words[:-1]
    if len(words) < len(("loss", "step", "1")) or not _COUNT.fullmatch(words[-1]) or names.counter(words[-2]) is None:
        return words
    before = words[:-2]
    while before and before[-1].lower() in names.plain:
        del before[-1]
    between = (word.lower() for word in words[len(before) : -2])
    return before if not _AT.isdisjoint(between) or _known(before, names) else words


def _taken(words: list[str], names: Names) -> str | None:
    """The known name before what it was taken of, with its split: `Accuracy on the test set`."""
    at = next((at for at, word in enumerate(words) if word.lower() in _AT), 0)
    name, of = _known(words[:at], names), [word.lower() for word in words[at + 1 :]]
    if name is None:
        return None
    whole = all(word in _WHOLE or word in names.plain or names.is_split(word) for word in of)
    if not whole:
        return name if len(words) > MOST_WORDS and words[at].lower() in _LATER else None
    split = next((word for word in of if names.is_split(word) and word not in names.plain), None)
    return f"{split} {name}" if split and names.metric(name).split is None else name


def _behind_counter(words: list[str], names: Names) -> list[str]:
    """The words behind a counter and its number: `Episode 10 Average Score`."""
    for at in range(len(words) - 1, -1, -1):
        if at and words[at][0].isdigit() and words[at - 1].lower() in names.counters:
            return words[at + 1 :]
        if (counted := _COUNTED.fullmatch(words[at])) and counted["word"].lower() in names.counters:
            return words[at + 1 :]
    return words


def _known(words: list[str], names: Names) -> str | None:
    """The longest end of `words` that somebody knows, with the words before it that make it another's."""
    for first in range(len(words)):
        phrase = " ".join(words[first:])
        if names.metric(phrase).known or names.setting(phrase):
            return _qualified(words, first, names)
    return None


def _qualified(words: list[str], first: int, names: Names) -> str:
    """The known name from `first` on with what it is of: `last batch loss` of the discriminator, the best, a split."""
    begin = at = first
    while at:
        if names.qualifies(words[at - 1]):
            begin = at - 1
        elif words[at - 1].lower() not in names.taken:
            break
        at -= 1
    own = words[begin:][-MOST_WORDS:]
    before = [word.lower() for word in words[:begin]]
    if "best" in before:
        return " ".join(["best", *own])
    while before and before[-1] in names.plain:
        before.pop()
    if begin and "_" in words[begin - 1] and names.is_split(words[begin - 1].partition("_")[0]):
        return " ".join([words[begin - 1], *own])  # `Val_Teacher mIoU`
    split = before and names.is_split(before[-1]) and names.metric(" ".join(own)).split is None
    return " ".join([before[-1], *own] if split else own)
