"""The reader of lines that no dialect describes: counters, `key=value`, `key: value`, `key value`, dicts, ranges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.adversaries import of_adversaries
from postmortem.parsing.alternating import alternating
from postmortem.parsing.behind import named_behind
from postmortem.parsing.counters import PLURAL, any_counts, begins, counts, read_counters, read_first
from postmortem.parsing.dumps import options_in
from postmortem.parsing.histories import histories
from postmortem.parsing.listed import listed
from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.pairs import pairs_of
from postmortem.parsing.preface import stated_in
from postmortem.parsing.reading import LONGEST, Assignment, Pair, Reading
from postmortem.parsing.sayings import pairs_said
from postmortem.parsing.speeds import speeds
from postmortem.parsing.splits import with_splits
from postmortem.parsing.tensors import read_tensor, statistics_of_a_metric
from postmortem.parsing.worded import worded
from postmortem.parsing.words import look, names_loss, only_metric, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.parsing.names import Names

#: Punctuation as wide as a Chinese character, the sides of drawn boxes and the sign of a note, which counts as a
#: letter, are as good as any, one for one.
_NARROW: Final = str.maketrans("\uff1a\uff1d\uff0c\uff1b\uff08\uff09\u3000\u2502\u2503\u2551\u2139", ":=,;() ||| ")
_FILE: Final = re.compile(r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file)$", re.IGNORECASE)
_TYPE: Final = "(?:int|float|bool|str|list|dict|tuple|set|NoneType|Path)"
#: A line that is one setting and nothing else: key = value, key: value, "key": value, --key=value, key ..... value,
#: key : int = value; the last line of a dict may close it.
_ASSIGNMENT: Final = re.compile(
    rf"\s*(?:[-*+>#|]\s+|--)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][\w.-]{{0,60}})(?P=quote)(?:\s*:\s*{_TYPE}(?=\s*=))?"
    r"\s*(?P<sep>=|:|\||\s\.{3,}(?!\.))\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;#{}]+(?=\}+,?\s*$)|[^\s,;#]+)\}*\s*[,|]?\s*"
    r"(?P<note>(?://|#|\().*|by default)?$"
)
#: An option as it is given on a command line, alone: `--lr 0.1`; not as its help names it, `--lr LR`.
_OPTION: Final = re.compile(r"\s*--(?P<key>[A-Za-z][\w.-]{0,60})\s+(?![A-Z_]+\s*$)(?P<value>[^\s-]\S{0,200})\s*")
#: A setting as a line of a csv has it: `temperature,4.0`.
_IN_CELLS: Final = re.compile(rf"\s*(?P<key>[A-Za-z_][\w.-]{{0,60}})\s?[,;]\s?(?P<value>{NUMBER})\s*")
#: A row of a table that is drawn, of a name and numbers of it, the first of them its value: `loss | 173.4 | 173.2`.
_DRAWN: Final = re.compile(
    rf"\s*\|?\s*(?P<key>[A-Za-z_][\w/@.-]{{0,60}})\s+\|\s+(?P<value>{NUMBER})(?:\s+\|\s+(?:{NUMBER}))*\s*\|?\s*"
)
_DRAWN_WITH: Final = re.compile("[\u2502\u2503]")
#: A row of a table of two columns: `| rollout/return | 0.5 |`, `lossAverage      nan`.
_ROW: Final = re.compile(
    r"\s*(?P<bar>\|\s*)?(?P<key>[A-Za-z_][\w/@.-]{0,60}(?: [A-Za-z0-9][\w/@.-]*){0,3})(?(bar)\s*\|\s*|(?:\s{2,}|\t))"
    rf"(?P<value>{NUMBER})\s*(?(bar)\|)\s*"
)
#: How much a logger lets through, before what it says.
_LEVEL: Final = re.compile(r"(?:DEBUG|INFO|WARNING)\s*[:|-]?\s+")
#: A name as programs write it; not that of a report on an error.
_SNAKE: Final = re.compile(r"(?!.*(?i:error|exception|exit|time))[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
#: What begins as a word or a path does.
_WORD: Final = re.compile(r"['\"~.]{0,2}/?[A-Za-z_]")
#: What a function gives, in a line of code that a traceback quotes: `loss = self.criterion(output`.
_CALL: Final = re.compile(r"[a-z_][\w.]*\(")
#: A constant or a variable of the environment, which a program sets and does not measure.
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
#: A field of a format string, in a line of code that a traceback or a write-up quotes: `{loss:.4f}`, `{step:>5d}`.
_FORMAT_FIELD: Final = re.compile(r"\{[^{}:]*:[<>^=+ ,_]*[0-9]*(?:\.[0-9]+[eEfFgG%]|[<>^]?d)\}")
#: What closes a pandas series in print: it is of a table, and no setting of the training.
_OF_A_TABLE: Final = frozenset({"float64", "int64", "object"})
#: What Markdown prints in bold: `dev MAE: **2.5**`.
_BOLD: Final = re.compile(r"\*\*([^*\s][^*]{0,60}?)\*\*")
#: Thresholds that a measure is a mean over, which are no pair: `mAP@0.50:0.95: 0.25`.
_THRESHOLDS: Final = re.compile(r"(@\[?0?\.[0-9]{1,2}):(0?\.[0-9]{1,2})(?=\]?\s*[:=|]|\s)")
#: A sign as good as one colon, before a number: `epoch::0 loss::2.5`.
_TWO_COLONS: Final = re.compile(r"(?<=\w)::(?=[-+.]?[0-9]|nan|inf)")
#: What begins a list of lines.
_OPENING: Final = frozenset("[({")
#: What was left out was not trained on: `loss is nan at step 37, skipping this batch`.
#: Not so what counts such batches, `loss=nan skipped=1`, `skipped steps: 3`.
_SKIPPED: Final = re.compile(
    r"(?i)\bskip(?:s|ped|ping)?(?:\s+(?:this|the|it|batch|step|update|iteration|sample|backward)\b|\s*[.,!]|\s*$)"
)
_DIGIT: Final = re.compile(r"[0-9]")
#: How many parameters a model has, in millions or billions: `2.98 M`.
_OF_SIZE: Final = frozenset({"total_params", "trainable_params"})
_MILLIONS: Final = re.compile(r"\s[MB](?![\w/])")
_TOTAL: Final = re.compile(r"\s?/\s?[0-9]")


def narrow(text: str) -> str:
    """`text` with wide punctuation and the sides of boxes as ASCII has them, one colon, and nothing in bold.

    All stays in its place.
    """
    if "**" in text:
        text = _BOLD.sub(r"  \1  ", text)
    if "::" in text:
        text = _TWO_COLONS.sub(": ", text)
    if "@" in text:
        text = _THRESHOLDS.sub(r"\1-\2", text)
    return text if text.isascii() else text.translate(_NARROW)


def read_record(text: str, names: Names, counters: Reading | None = None) -> Reading:
    """What one record holds. `counters` is what `read_counters` found in it, if that was asked before."""
    text, drawn = text[:LONGEST], False
    if not text.isascii():
        drawn = _DRAWN_WITH.search(text) is not None
    text = narrow(text)
    if (told := _told_at_once(text, names)) is not None:
        return told
    reading = counters or read_counters(text, names)
    if not reading.has_place and (curves := histories(text, names, reading.looked_at)):
        reading.metrics, reading.history = curves, True
        return reading
    start = level.end() if (level := _LEVEL.match(text)) else 0
    if _one_line(text, start, names, reading, drawn=drawn):
        return reading
    pairs = pairs_of(text, names, reading.looked_at)
    if lists := listed(text, names, reading.looked_at):
        taken = {pair.at for pair in lists}
        pairs = [pair for pair in pairs if pair.at not in taken] + lists
    if summed := statistics_of_a_metric(text, pairs, names):
        pairs = summed
    elif read_tensor(text, pairs, names, reading):
        return reading
    pairs = _named_otherwise(text, pairs, names, reading)
    pairs = sorted(of_adversaries(text, pairs), key=lambda pair: pair.at)
    _sort(pairs, text, names, reading)
    stated = {setting.at for setting in reading.settings}
    reading.settings += (one for one in worded(text, names, reading.looked_at) if one.at not in stated)
    if _SKIPPED.search(text):
        reading.metrics = [pair for pair in reading.metrics if math.isfinite(pair.value)]
    if reading.metrics:
        reading.metrics = with_splits(text, reading.metrics, names)
        read_first(text, names, reading)
    return reading


def _one_line(text: str, start: int, names: Names, reading: Reading, *, drawn: bool) -> bool:
    """Read a record that is one setting, or one row of a table, and nothing else. False for any other."""
    if assignment := _ASSIGNMENT.match(text, start):
        look(assignment["key"], text, assignment.span("key"), reading.looked_at)
        if _is_setting(assignment, names, reading):
            _setting(assignment, reading)
            if not _is_called(assignment):
                return True
    if option := _OPTION.fullmatch(text, start):
        _setting(option, reading)
        return True
    if (cells := _IN_CELLS.fullmatch(text, start)) and names.setting(cells["key"]):
        _setting(cells, reading)
        return True
    row = _ROW.fullmatch(text, start) or (drawn and _DRAWN.fullmatch(text, start))
    if row and not reading.has_place:
        _row(row, names, reading)
        return True
    return False


def _named_otherwise(text: str, pairs: list[Pair], names: Names, reading: Reading) -> list[Pair]:
    """`pairs`, and the values that have no sign between them and their names."""
    taken = {pair.at for pair in pairs}
    placed = reading.has_place or any(only_metric(pair.key, names) for pair in pairs)
    pairs += words_of(text, taken, names, reading.looked_at, placed=placed)
    taken |= {pair.at for pair in pairs}
    pairs += alternating(text, taken, names, reading.looked_at)
    if not pairs and reading.has_place:
        pairs = named_behind(text, names, reading.looked_at)
    taken = {pair.at for pair in pairs}
    pairs += [pair for pair in pairs_said(text, names) if pair.at not in taken]
    return [*pairs, *speeds(text, taken)] if pairs and reading.has_place else pairs


def _told_at_once(text: str, names: Names) -> Reading | None:
    """What a record of a kind of its own holds: code, a dump of options, a preface. None for any other."""
    if _FORMAT_FIELD.search(text):
        return Reading()
    if options := options_in(text, names):
        return _dump(options)
    if stated := stated_in(text, names):
        reading, taken = Reading(settings=stated), {one.at for one in stated}
        reading.settings += (one for one in worded(text, names, reading.looked_at) if one.at not in taken)
        reading.settings.sort(key=lambda one: one.at)
        return reading
    return None


def _dump(options: Iterable[re.Match[str]]) -> Reading:
    """A dump of options, which counts and measures nothing."""
    reading = Reading()
    for option in options:
        _setting(option, reading)
    return reading


def is_number(text: str) -> bool:
    """True where all of a text is one number."""
    return re.fullmatch(NUMBER, text) is not None


def _row(found: re.Match[str], names: Names, reading: Reading) -> None:
    """What a row of two columns holds: a setting under a name of one, else what is measured or no count."""
    key, value = found["key"], found["value"]
    look(key, found.string, found.span("key"), reading.looked_at)
    if names.setting(key) and not names.metric(key).known:
        _setting(found, reading)
    elif "." in value or not math.isfinite(read(value)) or only_metric(key, names):
        reading.metrics.append(Pair(key, read(value), value, found.span("value")))


def _is_setting(found: re.Match[str], names: Names, reading: Reading) -> bool:
    """A line that is one assignment is a setting, unless only a metric has that name or a counter stands there."""
    key = found["key"]
    share = found["value"].endswith("%") and (names.setting(key) is None or names.metric(key).known)  # it is measured
    if reading.has_place or share or _FILE.search(key):
        return False
    if _is_code(found) or _closes_a_table(found) or found["value"] in _OPENING or _is_no_word(found, names):
        return False
    if names.setting(key) or found["sep"] == "|":  # a row of a table may be of anything
        return found["sep"] != "|" or (names.setting(key) is not None and is_number(found["value"]))
    if names.metric(key).known:
        return False
    if found["sep"] == ":" and not found["quote"]:
        # of a word, as in a dump of YAML: `lr_scheduler_type: cosine`; a number, nan too, is measured as often
        word = _WORD.match(found["value"]) is not None and not is_number(found["value"])
        return word and _SNAKE.fullmatch(key) is not None
    return True


def _is_no_word(found: re.Match[str], names: Names) -> bool:
    """A number where a setting is a word: `Precision: 0.75` is measured."""
    worded = names.setting(found["key"]) in names.worded
    return worded and is_number(found["value"]) and not names.states(found["key"], found["value"])


def _is_called(found: re.Match[str]) -> bool:
    """`optimizer: Adam(lr=0.001, eps=1e-08)`: what stands in the brackets is stated as well."""
    return (found["note"] or "").startswith("(") and "=" in found["note"] and not is_number(found["value"])


def _is_code(found: re.Match[str]) -> bool:
    """Code that a traceback or a warning quotes: `loss = self.criterion(x`, `mask=mask,`, `self.x = X()`."""
    call = found["sep"] == "=" and _CALL.match(found.string, found.start("value")) is not None
    return call or found["value"] == found["key"] or found["key"].startswith("self.")


def _closes_a_table(found: re.Match[str]) -> bool:
    """`dtype: float64`, the last line of a pandas series in print."""
    return found["key"] == "dtype" and found["sep"] == ":" and found["value"] in _OF_A_TABLE


def _setting(found: re.Match[str], reading: Reading) -> None:
    start = found.start("value")
    printed = found["value"]
    text = printed.strip("'\"")
    start += len(printed) - len(printed.lstrip("'\""))
    number = read(text) if is_number(text) else None
    if _DIGIT.search(found["key"]):
        reading.looked_at.append(found.span("key"))
    reading.settings.append(Assignment(found["key"], text, number, (start, start + len(text))))


def _sort(pairs: list[Pair], text: str, names: Names, reading: Reading) -> None:
    """Pairs to metrics and settings: by their names, and where a name is both or neither, by the line."""
    # without a word before its counter a loss tells: `[  120/90000] focal loss: 0.5, lr: 0.01`
    values = any(only_metric(pair.key, names) for pair in pairs) or (
        begins(text) and any(names_loss(pair.key) for pair in pairs)
    )
    measured = reading.has_place or values
    configured = not measured and any(names.states(pair.key, pair.text) for pair in pairs)
    for pair in pairs:
        if text[pair.at[1] : pair.at[1] + 1].isalpha() and names.counter(pair.key) is not None:
            continue  # how long it took: `Step: 50ms`
        if pair.at in {reading.step_at, reading.epoch_at}:
            continue  # counted, whatever else its name holds: `Lasso 10 Step: 900`
        # `Epoch 0 | Batchsize: 32 | Steps: 28`: how many the epoch will have
        amount = pair.key.lower() in PLURAL and not values and reading.step is None
        placed = measured and not amount
        counter = None if amount else names.counter(pair.key) or _of_a_total(pair, text, names)
        if counter == "epoch":
            reading.epoch, reading.epoch_at = pair.value, pair.at
        elif counter is not None:
            if not any_counts(pair):
                reading.looked_at.append(pair.at)
            if counts(pair) and reading.step is None:
                reading.step, reading.step_unit, reading.step_at = int(pair.value), "unknown", pair.at
        elif names.metric(pair.key).known and (measured or names.setting(pair.key) is None):
            reading.metrics.append(pair)
        elif configured or names.states(pair.key, pair.text) or _configured(pair, text, measured=placed):
            reading.settings.append(_stated(pair, text, names))
        else:
            reading.metrics.append(pair)


def _stated(pair: Pair, text: str, names: Names) -> Assignment:
    """A pair as a setting, a model's size with the unit that stands a blank behind it."""
    start, end = pair.at
    if names.setting(pair.key) in _OF_SIZE and (unit := _MILLIONS.match(text, end)):
        end = unit.end()
    return Assignment(pair.key, text[start:end], read(text[start:end]), (start, end))


def _of_a_total(pair: Pair, text: str, names: Names) -> str | None:
    """What a fraction counts whose name has a counter's word in it: `Batch Status: 640/50000`, or is `i` or `b`."""
    words = pair.key.lower().split() if _TOTAL.match(text, pair.at[1]) else ()
    return next(
        (names.counters[word] for word in words if word in names.counters), "step" if words in (["i"], ["b"]) else None
    )


def _configured(pair: Pair, text: str, *, measured: bool) -> bool:
    """A name in capitals, or a whole number in a line that measures nothing: sizes, counts, identifiers."""
    start, end = pair.at
    share = text.startswith("%", end) and text.endswith("=", 0, start)  # behind a colon it may be of a bar
    if share or (measured and "." in pair.text):
        return False
    return _CONSTANT.fullmatch(pair.key) is not None or not (
        measured or "." in pair.text or not math.isfinite(pair.value)
    )
