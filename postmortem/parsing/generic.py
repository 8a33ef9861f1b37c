"""The reader of lines that no dialect describes: counters, `key=value`, `key: value`, `key value`, dicts, ranges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.counters import PLURAL, read_counters, read_first
from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.pairs import AFTER, pairs_of
from postmortem.parsing.reading import LONGEST, Assignment, Pair, Reading
from postmortem.parsing.splits import with_splits

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: Punctuation as wide as a Chinese character, and the sides of drawn boxes, are as good as any, one for one.
_NARROW: Final = str.maketrans("\uff1a\uff1d\uff0c\uff1b\uff08\uff09\u3000\u2502\u2503\u2551", ":=,;() |||")
#: A word with a decimal number behind it, as in `loss 2.31`; whole numbers are too often something else.
_WORDS: Final = re.compile(
    rf"(?<![\w./=:-])(?:(?P<split>[A-Za-z]{{2,10}})\s)?(?P<key>(?!(?:is|was|of|now)\s)[A-Za-z_][\w/-]{{0,40}})\s+(?:(?:is|was|of|now)\s+)?"
    rf"(?P<value>(?=[-+0-9.]*[.eE]|[+-]?(?i:nan|inf))(?:{NUMBER})){AFTER}"
)
_FILE: Final = re.compile(r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file)$", re.IGNORECASE)
#: A line that is one setting and nothing else: key = value, key: value, "key": value, --key=value, key ..... value
_ASSIGNMENT: Final = re.compile(
    r"^\s*(?:[-*+>#|]\s+|--)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][\w.-]{0,60})(?P=quote)\s*(?P<sep>=|:|\||\s\.{3,})\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;#]+)\s*[,|]?\s*(?P<note>(?://|#|\().*)?$"
)
#: A name as programs write it; not that of a report on an error.
_SNAKE: Final = re.compile(r"(?!.*(?i:error|exception|exit|time))[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
#: What begins as a word or a path does.
_WORD: Final = re.compile(r"['\"~.]{0,2}/?[A-Za-z_]")
#: What a function gives, in a line of code that a traceback quotes: `loss = self.criterion(output`.
_CALL: Final = re.compile(r"[a-z_][\w.]*\(")
#: Options of a command line. Two of them make a line a command.
_OPTION: Final = re.compile(r"(?<!\S)--(?P<key>[A-Za-z][\w-]{0,60})(?:=|\s+)(?P<value>(?!--)[^\s=]+)")
#: A constant or a variable of the environment, which a program sets and does not measure.
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
#: A field of a format string, in a line of code that a traceback or a write-up quotes: `{loss:.4f}`, `{step:>5d}`.
_FORMAT_FIELD: Final = re.compile(r"\{[^{}:]*:[<>^=+ ,_]*[0-9]*(?:\.[0-9]+[eEfFgG%]|[<>^]?d)\}")
_SCOPE: Final = re.compile(r"(?i)\b(?:layers?|blocks?|stage|h)[\s._]?\[?([0-9]+)")
#: Around a tensor's name: the layer before it, and words such as `range` behind it.
_NOT_A_NAME: Final = re.compile(
    r"(?i)^.*?\b(?:layers?|blocks?|stage)\s?\[?[0-9]+\]?\s*[:,-]\s*|(?<!\s)\s*\b(?:output|range|stats?|values?)$"
)
_STATISTICS: Final = ("min", "max", "mean", "std", "rms", "norm")
_DIGIT: Final = re.compile(r"[0-9]")
#: A counter that no digit in it can make another thing.
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
#: A larger counter is none.
_LARGEST_STEP: Final = 1e12


def read_record(text: str, names: Names, counters: Reading | None = None) -> Reading:
    """What one record holds. `counters` is what `read_counters` found in it, if that was asked before."""
    text = text[:LONGEST].translate(_NARROW)
    if _FORMAT_FIELD.search(text):
        return Reading()
    reading = counters or read_counters(text, names)
    if assignment := _ASSIGNMENT.match(text):
        _look(reading, assignment["key"], assignment.span("key"), names)
        if _is_setting(assignment, names, reading):
            _setting(assignment, reading)
            return reading
    options = list(_OPTION.finditer(text)) if text.count("--") > 1 else []
    if len(options) > 1:
        for option in options:
            _setting(option, reading)
        return reading
    pairs = pairs_of(text, names, reading.looked_at)
    if _tensor(text, pairs, reading):
        return reading
    pairs = sorted([*pairs, *_words(text, pairs, names, reading)], key=lambda pair: pair.at)
    _sort(pairs, names, reading)
    if reading.metrics:
        reading.metrics = with_splits(text, reading.metrics, names)
        read_first(text, names, reading)
    return reading


def is_number(text: str) -> bool:
    """True where all of a text is one number."""
    return re.fullmatch(NUMBER, text) is not None


def _words(text: str, pairs: list[Pair], names: Names, reading: Reading) -> list[Pair]:
    """Every `key 2.5` where a line measures something; `val loss 2.5` keeps its first word."""
    taken = {pair.at for pair in pairs}
    placed = reading.has_place or any(_only_metric(pair.key, names) for pair in pairs)
    found = []
    for match in _WORDS.finditer(text):
        if match.span("value") in taken or match["key"].lower() in names.counters:
            continue
        _look(reading, match["key"], match.span("key"), names)
        first, key = match["split"] or "", match["key"]
        if first.lower() in names.splits or names.metric(f"{first} {key}").known:  # `val loss`, `learning rate`
            key = f"{first} {key}"
        # a word before `nan` is as often `for` as a metric
        if (placed and _DIGIT.search(match["value"])) or _only_metric(key, names):
            found.append(Pair(key, read(match["value"]), match["value"], match.span("value")))
    return found


def _look(reading: Reading, key: str, at: Where, names: Names) -> None:
    if names.digits_matter(key):
        reading.looked_at.append(at)


def _is_setting(found: re.Match[str], names: Names, reading: Reading) -> bool:
    """A line that is one assignment is a setting, unless only a metric has that name or a counter stands there."""
    key = found["key"]
    if reading.has_place or _FILE.search(key):
        return False
    if found["sep"] == "=" and _CALL.match(found.string, found.start("value")):
        return False
    if names.setting(key) or found["sep"] == "|":  # a row of a table may be of anything
        return found["sep"] != "|" or (names.setting(key) is not None and is_number(found["value"]))
    if names.metric(key).known:
        return False
    if found["sep"] == ":" and not found["quote"]:
        # of a word, as in a dump of YAML: `lr_scheduler_type: cosine`; a number is measured as often
        return _SNAKE.fullmatch(key) is not None and _WORD.match(found["value"]) is not None
    return True


def _setting(found: re.Match[str], reading: Reading) -> None:
    start = found.start("value")
    printed = found["value"]
    text = printed.strip("'\"")
    start += len(printed) - len(printed.lstrip("'\""))
    number = read(text) if is_number(text) else None
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
        counter = names.counters.get(pair.key.lower()) or _counter_of_training(pair.key, names)
        if pair.key.lower() in PLURAL and not measured:
            counter = None
        if counter == "epoch":
            reading.epoch, reading.epoch_at = pair.value, pair.at
        elif counter is not None:
            if not _WHOLE.fullmatch(pair.text):
                reading.looked_at.append(pair.at)
            if pair.value.is_integer() and abs(pair.value) < _LARGEST_STEP and reading.step is None:
                reading.step, reading.step_unit, reading.step_at = int(pair.value), "unknown", pair.at
        elif names.metric(pair.key).known and (measured or names.setting(pair.key) is None):
            reading.metrics.append(pair)
        elif configured or names.setting(pair.key) or _configured(pair, measured=measured):
            reading.settings.append(Assignment(pair.key, pair.text, pair.value, pair.at))
        else:
            reading.metrics.append(pair)


def _counter_of_training(key: str, names: Names) -> str | None:
    """What `Train Epoch` counts."""
    metric = names.metric(key)
    return names.counters.get(metric.name) if metric.split == "train" else None


def _configured(pair: Pair, *, measured: bool) -> bool:
    """A name in capitals, or a whole number in a line that measures nothing: sizes, counts, identifiers."""
    if measured and "." in pair.text:
        return False
    return _CONSTANT.fullmatch(pair.key) is not None or not (
        measured or "." in pair.text or not math.isfinite(pair.value)
    )
