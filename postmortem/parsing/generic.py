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
#: A larger counter is none.
_LARGEST_STEP: Final = 1e12
#: Characters of a record that are read.
LONGEST: Final = 20_000
#: Characters before a number or a counter in which its name is looked for.
_WINDOW: Final = 80
_MOST_WORDS: Final = 4


class Pair(NamedTuple):
    """A key as printed, a number, and the number as printed."""

    key: str
    value: float
    text: str


@dataclass(slots=True)
class Reading:
    """What the generic reader found in one record. Everything may be empty: then nobody read it."""

    metrics: list[Pair] = field(default_factory=list)
    settings: list[tuple[str, str, float | None]] = field(default_factory=list)  # key, text, number
    tensor: dict[str, object] | None = None
    step: int | None = None
    step_unit: str | None = None
    epoch: float | None = None

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
                reading.epoch = float(found["at"])
        elif reading.step is None or (kind == "step" and reading.step_unit == "batch_of_epoch"):
            reading.step = int(found["at"])
            reading.step_unit = "batch_of_epoch" if kind == "batch" else "unknown"
    return reading


def read_record(text: str, names: Names, counters: Reading | None = None) -> Reading:
    """What one record holds. `counters` is what `read_counters` found in it, if that was asked before."""
    text = text[:LONGEST]
    reading = counters or read_counters(text, names)
    if (assignment := _ASSIGNMENT.match(text)) and _is_setting(assignment, names, reading):
        _setting(assignment, reading)
        return reading
    pairs = pairs_of(text, names)
    if _tensor(text, pairs, reading):
        return reading
    taken = {pair.text for pair in pairs}
    placed = reading.has_place or any(_only_metric(pair.key, names) for pair in pairs)
    pairs += [
        Pair(m["key"], read(m["value"]), m["value"])
        for m in _WORDS.finditer(text)
        if m["value"] not in taken
        and m["key"].lower() not in names.counters
        and (placed or _only_metric(m["key"], names))
    ]
    _sort(pairs, names, reading)
    return reading


def pairs_of(text: str, names: Names) -> list[Pair]:
    """Every `key=number` and `key: number` of a text, in order. Keys keep their spelling."""
    pairs = []
    last = 0
    for found in _PAIR.finditer(text):
        key = _key(text[max(last, found.start() - _WINDOW) : found.start()], names)
        last = found.end()
        if key and not _FILE.search(key):
            pairs.append(Pair(key, read(found["value"]), found["value"]))
    return pairs


def _key(before: str, names: Names) -> str | None:
    """The name at the end of `before`: the longest run of words that somebody knows, else all up to four."""
    if quoted := _QUOTED.search(before):
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
    for start in range(len(words)):
        phrase = " ".join(words[start:])
        if names.metric(phrase).known or names.setting(phrase):
            return phrase
    return " ".join(words if len(words) <= _MOST_WORDS else words[-1:])


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
    text = found["value"].strip("'\"")
    try:
        number = read(text) if re.fullmatch(NUMBER, text) else None
    except ValueError:
        number = None
    reading.settings.append((found["key"], text, number))


def _only_metric(key: str, names: Names) -> bool:
    return names.metric(key).known and names.setting(key) is None


def _tensor(text: str, pairs: list[Pair], reading: Reading) -> bool:
    """A range of a named tensor: `Layer 3: attn: min=-4.2, max=5.5, mean=0.1`."""
    by_key = {pair.key.lower().rpartition(" ")[2]: pair for pair in pairs}
    if not {"min", "max"} <= set(by_key):
        return False
    before = re.split(r"(?i)\bmin\b", text, maxsplit=1)[0].rstrip(" =:([{'\"")
    name = re.sub(
        r"(?i)^.*?\b(?:layers?|blocks?|stage)\s?\[?[0-9]+\]?\s*[:,-]\s*|\s*\b(?:output|range|stats?|values?)$",
        "",
        before,
    )
    words = re.findall(r"[A-Za-z_][\w.]*", name)
    if not words:
        return False
    label = words[-1]
    scope = _SCOPE.search(before)
    reading.tensor = {
        "name": label,
        "scope": scope[1] if scope else None,
        "kind": _kind(label),
        "min_text": by_key["min"].text,
        "max_text": by_key["max"].text,
        **{key: by_key[key].value for key in ("min", "max", "mean", "std", "rms", "norm") if key in by_key},
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
            reading.epoch = pair.value
        elif counter is not None:
            if pair.value.is_integer() and abs(pair.value) < _LARGEST_STEP and reading.step is None:
                reading.step, reading.step_unit = int(pair.value), "unknown"
        elif names.metric(pair.key).known and (measured or names.setting(pair.key) is None):
            reading.metrics.append(pair)
        elif configured or names.setting(pair.key):
            reading.settings.append((pair.key, pair.text, pair.value))
        else:
            reading.metrics.append(pair)
