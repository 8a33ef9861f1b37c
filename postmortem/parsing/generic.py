"""The reader of lines that no dialect describes: counters, `key=value`, `key: value`, `key value`, dicts, ranges."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.parsing.numbers import NUMBER, read

if TYPE_CHECKING:
    from postmortem.parsing.names import Names

#: A separator with a number behind it. What follows the number may be a unit or a note, not more digits.
_AFTER: Final = r"(?:\s?%|[A-Za-z]{1,3}(?:/[a-z]{1,6})?(?![A-Za-z0-9_.]))?(?![A-Za-z0-9_]|[.:-][0-9])"
_PAIR: Final = re.compile(rf"(?P<sep>[=:]|(?<!\.)\.{{3,}})\s*(?P<value>{NUMBER}){_AFTER}")
#: A word with a decimal number behind it, as in `loss 2.31`; whole numbers are too often something else.
_WORDS: Final = re.compile(
    rf"(?<![\w./=:-])(?P<key>[A-Za-z_][\w/]{{0,40}})\s+(?P<value>(?=[-+0-9.]*[.eE]|[+-]?(?i:nan|inf))(?:{NUMBER})){_AFTER}"
)
_COUNTER: Final = re.compile(
    r"(?<![A-Za-z0-9_./-])(?P<word>[A-Za-z][A-Za-z_]{0,20})"
    r"(?:\s?[:=#]\s?|\s)?\[?\s*(?P<at>[0-9]{1,12})(?:\s*(?:/|of)\s*[0-9]+)?(?![0-9A-Za-z_.%,]\w|[0-9A-Za-z_%])"
)
#: Before a counter's word these make it an amount: `total step: 500`, `every step 10`.
_AMOUNT: Final = re.compile(r"(?i)\b(?:total|max|num|number of|warmup|every|per|save|log)[\s_-]*$")
_QUOTED: Final = re.compile(r"(['\"])([^'\"]{1,80})\1\s*$")
_UNIT_NOTE: Final = re.compile(r"\s*\([^()]{0,30}\)\s*$")
_BOUNDARY: Final = re.compile(r"[,;|{}\[\]()\"'=:<>!?]|\s{2,}|\s-\s|->")
_FILE: Final = re.compile(r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file)$", re.IGNORECASE)
#: A line that is one setting and nothing else: key = value, key: value, "key": value, --key=value, key ..... value
_ASSIGNMENT: Final = re.compile(
    r"^\s*(?:[-*+>#]\s+|--)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][\w.-]{0,60})(?P=quote)\s*(?P<sep>=|:|\s\.{3,})\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;#]+)\s*,?\s*(?P<note>(?://|#|\().*)?$"
)
_SCOPE: Final = re.compile(r"(?i)\b(?:layers?|blocks?|stage|h)[\s._]?\[?([0-9]+)")
#: Around a tensor's name: the layer before it, and words such as `range` behind it.
_NOT_A_NAME: Final = re.compile(
    r"(?i)^.*?\b(?:layers?|blocks?|stage)\s?\[?[0-9]+\]?\s*[:,-]\s*|\s*\b(?:output|range|stats?|values?)$"
)
_STATISTICS: Final = ("min", "max", "mean", "std", "rms", "norm")
_DIGIT: Final = re.compile(r"[0-9]")
#: A counter that no digit in it can make another thing.
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
#: A larger counter is none.
_LARGEST_STEP: Final = 1e12
#: Characters of a record that are read.
LONGEST: Final = 20_000
#: Characters before a number or a counter in which its name is looked for.
_WINDOW: Final = 80
_MOST_WORDS: Final = 4


Where = tuple[int, int]


class Pair(NamedTuple):
    """A key as printed, a number, the number as printed, and where the number stands."""

    key: str
    value: float
    text: str
    at: Where


class Assignment(NamedTuple):
    """A setting as printed, its value's text, the number that it is, and where the value stands."""

    key: str
    text: str
    number: float | None
    at: Where


@dataclass(slots=True)
class Reading:
    """What the generic reader found in one record. Everything may be empty: then nobody read it.

    `looked_at` are the places whose digits decided what was found: in a line that differs there, it may be otherwise.
    """

    metrics: list[Pair] = field(default_factory=list)
    settings: list[Assignment] = field(default_factory=list)
    tensor: dict[str, object] | None = None
    tensor_at: dict[str, Where] = field(default_factory=dict)
    step: int | None = None
    step_unit: str | None = None
    step_at: Where | None = None
    epoch: float | None = None
    epoch_at: Where | None = None
    looked_at: list[Where] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True where neither a value nor a counter was found."""
        return not (self.metrics or self.settings or self.tensor or self.has_place)

    @property
    def has_place(self) -> bool:
        """True where a counter was found."""
        return self.step is not None or self.epoch is not None


def read_counters(text: str, names: Names) -> Reading:
    """The steps, batches and epochs that a record counts. They place whatever else it holds."""
    reading = Reading()
    for found in _COUNTER.finditer(text, 0, LONGEST):
        word = found["word"].lower()
        kind = names.counters.get(word)
        if kind is None or (len(word) == 1 and f"{found['word']}:" not in text):
            continue
        if _AMOUNT.search(text, max(0, found.start() - _WINDOW), found.start()):
            continue
        if kind == "epoch":
            if reading.epoch is None:
                reading.epoch, reading.epoch_at = float(found["at"]), found.span("at")
        elif reading.step is None or (kind == "step" and reading.step_unit == "batch_of_epoch"):
            reading.step, reading.step_at = int(found["at"]), found.span("at")
            reading.step_unit = "batch_of_epoch" if kind == "batch" else "unknown"
    return reading


def read_record(text: str, names: Names, counters: Reading | None = None) -> Reading:
    """What one record holds. `counters` is what `read_counters` found in it, if that was asked before."""
    text = text[:LONGEST]
    reading = counters or read_counters(text, names)
    if assignment := _ASSIGNMENT.match(text):
        _look(reading, assignment["key"], assignment.span("key"), names)
        if _is_setting(assignment, names, reading):
            _setting(assignment, reading)
            return reading
    pairs = pairs_of(text, names, reading.looked_at)
    if _tensor(text, pairs, reading):
        return reading
    taken = {pair.at for pair in pairs}
    placed = reading.has_place or any(_only_metric(pair.key, names) for pair in pairs)
    for found in _WORDS.finditer(text):
        if found.span("value") in taken or found["key"].lower() in names.counters:
            continue
        _look(reading, found["key"], found.span("key"), names)
        # a word before `nan` is as often `for` as a metric
        if (placed and _DIGIT.search(found["value"])) or _only_metric(found["key"], names):
            pairs.append(Pair(found["key"], read(found["value"]), found["value"], found.span("value")))
    _sort(pairs, names, reading)
    return reading


def pairs_of(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Every `key=number` and `key: number` of a text, in order. Keys keep their spelling."""
    pairs = []
    last = 0
    for found in _PAIR.finditer(text):
        start = max(last, found.start() - _WINDOW)
        last = found.end()
        key = _key(text[start : found.start()], names, start, looked_at)
        if key and not _FILE.search(key):
            pairs.append(Pair(key, read(found["value"]), found["value"], found.span("value")))
    return pairs


def _look(reading: Reading, key: str, at: Where, names: Names) -> None:
    if names.digits_matter(key):
        reading.looked_at.append(at)


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
    words = before[cut:].split()
    while words and not (words[0][0].isalpha() or words[0][0] == "_"):
        del words[0]
    if not words or words[-1][0].isdigit():
        return None  # `loss 0.117 = 0.1 + 0.017`: the number stands before the sign
    for first in range(len(words)):
        phrase = " ".join(words[first:])
        if names.metric(phrase).known or names.setting(phrase):
            break
        if names.digits_matter(phrase):
            looked_at.append((start + cut, end))
    else:
        phrase = " ".join(words if len(words) <= _MOST_WORDS else words[-1:])
    if _DIGIT.search(phrase):
        looked_at.append((start + cut + before[cut:].index(words[-phrase.count(" ") - 1]), end))
    return phrase


def _is_setting(found: re.Match[str], names: Names, reading: Reading) -> bool:
    """A line that is one assignment is a setting, unless only a metric has that name or a counter stands there."""
    key = found["key"]
    if reading.has_place or _FILE.search(key):
        return False
    if names.setting(key):
        return True
    if names.metric(key).known:
        return False
    return found["sep"] != ":" or bool(found["quote"])


def _setting(found: re.Match[str], reading: Reading) -> None:
    start = found.start("value")
    printed = found["value"]
    text = printed.strip("'\"")
    start += len(printed) - len(printed.lstrip("'\""))
    try:
        number = read(text) if re.fullmatch(NUMBER, text) else None
    except ValueError:
        number = None
    if _DIGIT.search(found["key"]):
        reading.looked_at.append(found.span("key"))
    reading.settings.append(Assignment(found["key"], text, number, (start, start + len(text))))


def _only_metric(key: str, names: Names) -> bool:
    return names.metric(key).known and names.setting(key) is None


def _tensor(text: str, pairs: list[Pair], reading: Reading) -> bool:
    """A range of a named tensor: `Layer 3: attn: min=-4.2, max=5.5, mean=0.1`."""
    by_key = {pair.key.lower().rpartition(" ")[2]: pair for pair in pairs}
    if not {"min", "max"} <= set(by_key):
        return False
    before = re.split(r"(?i)\bmin\b", text, maxsplit=1)[0].rstrip(" =:([{'\"")
    noise = _NOT_A_NAME.sub(lambda found: " " * len(found[0]), before)
    words = list(re.finditer(r"[A-Za-z_][\w.]*", noise))
    if not words:
        return False
    label = words[-1]
    scope = _SCOPE.search(before)
    reading.tensor = {
        "name": label[0],
        "scope": scope[1] if scope else None,
        "kind": _kind(label[0]),
        **{key: by_key[key].value for key in _STATISTICS if key in by_key},
    }
    reading.tensor_at = {
        "name": label.span(),
        **({"scope": scope.span(1)} if scope else {}),
        **{key: by_key[key].at for key in _STATISTICS if key in by_key},
    }
    return True


def _kind(label: str) -> str:
    lowered = label.lower()
    if "grad" in lowered:
        return "gradient"
    if re.search(r"weight|bias|gamma|beta|param", lowered):
        return "parameter"
    return "activation"


def _sort(pairs: list[Pair], names: Names, reading: Reading) -> None:
    """Pairs to metrics and settings: by their names, and where a name is both or neither, by the line."""
    measured = reading.has_place or any(_only_metric(pair.key, names) for pair in pairs)
    configured = not measured and any(names.setting(pair.key) for pair in pairs)
    for pair in pairs:
        counter = names.counters.get(pair.key.lower())
        if counter == "epoch":
            reading.epoch, reading.epoch_at = pair.value, pair.at
        elif counter is not None:
            if not _WHOLE.fullmatch(pair.text):
                reading.looked_at.append(pair.at)
            if pair.value.is_integer() and abs(pair.value) < _LARGEST_STEP and reading.step is None:
                reading.step, reading.step_unit, reading.step_at = int(pair.value), "unknown", pair.at
        elif names.metric(pair.key).known and (measured or names.setting(pair.key) is None):
            reading.metrics.append(pair)
        elif configured or names.setting(pair.key):
            reading.settings.append(Assignment(pair.key, pair.text, pair.value, pair.at))
        else:
            reading.metrics.append(pair)
