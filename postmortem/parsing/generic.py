"""The reader of lines that no dialect describes: counters, `key=value`, `key: value`, `key value`, dicts, ranges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers
from postmortem.parsing.adversaries import of_adversaries
from postmortem.parsing.alternating import alternating
from postmortem.parsing.assigned import one_line, state
from postmortem.parsing.behind import in_other_units, named_behind
from postmortem.parsing.clients import of_client
from postmortem.parsing.counters import PLURAL, any_counts, begins, counts, read_counters, read_first
from postmortem.parsing.dumps import options_in
from postmortem.parsing.histories import histories
from postmortem.parsing.listed import listed
from postmortem.parsing.models import of_model
from postmortem.parsing.numbers import read
from postmortem.parsing.pairs import pairs_of
from postmortem.parsing.preface import stated_in
from postmortem.parsing.ratios import bare_shares, right_of_all
from postmortem.parsing.reading import LONGEST, Assignment, Pair, Reading
from postmortem.parsing.sayings import pairs_said
from postmortem.parsing.speeds import speeds
from postmortem.parsing.splits import with_splits
from postmortem.parsing.tagged import tagged
from postmortem.parsing.tensors import read_tensor, statistics_of_a_metric
from postmortem.parsing.worded import worded
from postmortem.parsing.words import names_loss, only_metric, row_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.parsing.names import Names

#: Punctuation as wide as a Chinese character, the sides of drawn boxes and the sign of a note, which counts as a
#: letter, are as good as any, one for one.
_NARROW: Final = str.maketrans("\uff1a\uff1d\uff0c\uff1b\uff08\uff09\u3000\u2502\u2503\u2551\u2139", ":=,;() ||| ")
_DRAWN_WITH: Final = re.compile("[\u2502\u2503]")
#: A constant or a variable of the environment, which a program sets and does not measure.
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
#: A field of a format string, in a line of code that a traceback or a write-up quotes: `{loss:.4f}`, `{step:>5d}`.
_FORMAT_FIELD: Final = re.compile(r"\{[^{}:]*:[<>^=+ ,_]*[0-9]*(?:\.[0-9]+[eEfFgG%]|[<>^]?d)\}")
#: What Markdown prints in bold: `dev MAE: **2.5**`.
_BOLD: Final = re.compile(r"\*\*([^*\s][^*]{0,60}?)\*\*")
#: Thresholds that a measure is a mean over, which are no pair: `mAP@0.50:0.95: 0.25`.
_THRESHOLDS: Final = re.compile(r"(@\[?0?\.[0-9]{1,2}):(0?\.[0-9]{1,2})(?=\]?\s*[:=|]|\s)")
#: A measure of the first k, `Recall(k=20): 0.25`, and a list of one number behind a name, `loss [ 0.75]`.
_OF_FIRST: Final = re.compile(r"(?<=\w)\(k=([0-9]{1,4})\)")
_LIST_OF_ONE: Final = re.compile(
    r"(?<=[A-Za-z]\s)\[(\s{0,3}[-+]?[0-9]{0,12}\.[0-9]{1,17}(?:[eE][-+]?[0-9]{1,3})?\s{0,3})\](?!\s*[=:])"
)
#: A name and its value at the end of a record, as XLM prints them: `valid_en-fr_mt_ppl -> 12.5`.
_ARROW: Final = re.compile(
    r"(?<![\w.>])([A-Za-z_][\w@./-]{0,60}) ->(?= [-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?\s*\Z)"
)
#: What an earlier epoch measured, which was the best: `Best Epoch 6  Acc: 0.5`, `at 11 (melhor: epoch 1, loss=1.5)`.
_BEST: Final = re.compile(
    r"(?:\A\W{0,8}|[(\[]\s?)(?:[Bb]est|[Mm]el?hor|[Mm]ejor|[Mm]eilleure?|[Mm]igliore|[Bb]este[rs]?)\s?[:=]?\s?"
    r"(?:[Ee]poch|[Ii]ter(?:ation)?|[Ss]tep|\u00e9poque|epoca|\u00e9poca|[Ee]poche)\b"
)
#: The sign of a number behind a counter's word, with a name behind that number: `Epoch #1 Error:0.5`.
_NUMBER_SIGN: Final = re.compile(
    r"(?i)(?<![\w.])(epoch|iteration|iter|step|batch|episode|round) #(?=[0-9]{1,9} [A-Za-z])"
)
#: A tuple that Python 2 printed where Python 3 prints its parts: `('Epoch: ', 116)`.
_TUPLE: Final = re.compile(r"\s*\((?=['\"]).*['\"]\s?,\s.*\)\s*\Z")
_OF_TUPLE: Final = re.compile(r"\A\s*\(['\"]|['\"]\s?,\s?(?:['\"])?|(?<=[0-9])\s?,\s['\"]|['\"]?\)\s*\Z")
#: A sign as good as one colon, before a number: `epoch::0 loss::2.5`.
_TWO_COLONS: Final = re.compile(r"(?<=[\w ])::(?= ?(?:[-+.]?[0-9]|nan|inf))")
#: A number and a bar before names with decimal numbers and bars between: ` 7| L 0.75 | acc 0.5 | len 30.0`.
_COUNTED_ROW: Final = re.compile(r"\s*[0-9]{1,12}\s?\|\s+[A-Za-z][^|]{0,40}\s[-+]?[0-9]*\.[0-9]+\s*\|")
#: What was left out was not trained on: `loss is nan at step 37, skipping this batch`.
#: Not so what counts such batches, `loss=nan skipped=1`, `skipped steps: 3`.
_SKIPPED: Final = re.compile(
    r"(?i)\bskip(?:s|ped|ping)?(?:\s+(?:this|the|it|batch|step|update|iteration|sample|backward)\b|\s*[.,!]|\s*$)"
)
#: A number in the brackets of a placeholder, and a text as R prints it: `Loss: <1.5>`, `[1] "auc: 0.75"`.
_PLACEHOLDER: Final = re.compile(r"<([-+]?[0-9.]{1,30}(?:[eE][-+]?[0-9]{1,4})?)>")
_R_TEXT: Final = re.compile(r'\A\[1\] "(?=.*"\s*\Z)')
#: A name between dashes before its number: `--LOSS-- tensor(2.5)`.
_BETWEEN_DASHES: Final = re.compile(r"(?<=\s)--([A-Za-z]\w{1,30})--(?=\s(?:tensor\()?[-+]?(?:[0-9.]|nan|inf))")
#: What each of these is written as, in as many characters, and a sign without which it is not looked for.
_SPELLED: Final = (
    ("**", _BOLD, r"  \1  "),
    ("::", _TWO_COLONS, ": "),
    ("<", _PLACEHOLDER, r" \1 "),
    (" -> ", _ARROW, r"\1 = "),
    (" #", _NUMBER_SIGN, r"\1  "),
    ("(k=", _OF_FIRST, r"@\1   "),
    (" [", _LIST_OF_ONE, r" \1 "),
    ("@", _THRESHOLDS, r"\1-\2"),
    (" --", _BETWEEN_DASHES, r"  \1: "),
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
    if text.endswith(")") and _TUPLE.match(text):
        text = _OF_TUPLE.sub(lambda found: " " * len(found[0]), text)
    if text.startswith("[1] ") and _R_TEXT.match(text):
        text = f"     {text[5:].rstrip()[:-1]}"
    for sign, pattern, plain in _SPELLED:
        if sign in text:
            text = pattern.sub(plain, text)
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
    start = level.end() if (level := loggers.PREFIX.match(text)) else 0
    if one_line(text, start, names, reading, drawn=drawn):
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
        reading.metrics = _as_best(text, with_splits(text, reading.metrics, names))
        read_first(text, names, reading)
        reading.metrics = of_model(text, of_client(text, reading.metrics, reading.looked_at), reading.looked_at)
    return reading


def _as_best(text: str, pairs: list[Pair]) -> list[Pair]:
    """`pairs`, where a record tells of the best epoch, under the names of bests."""
    if (best := _BEST.search(text)) is None:
        return pairs
    return [
        pair if pair.at[0] < best.start() or "best" in pair.key.lower() else pair._replace(key=f"best {pair.key}")
        for pair in pairs
    ]


def _named_otherwise(text: str, pairs: list[Pair], names: Names, reading: Reading) -> list[Pair]:
    """`pairs`, and the values that have no sign between them and their names."""
    taken = {pair.at for pair in pairs}
    placed = reading.has_place or any(only_metric(pair.key, names) for pair in pairs)
    placed = placed or _COUNTED_ROW.match(text) is not None
    pairs += words_of(text, taken, names, reading.looked_at, placed=placed)
    pairs = pairs or row_of(text, names, reading.looked_at)
    pairs += bare_shares(text, names)
    pairs = pairs or [*right_of_all(text)]
    pairs += in_other_units(text)
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
    return tagged(text)


def _dump(options: Iterable[re.Match[str]]) -> Reading:
    """A dump of options, which counts and measures nothing."""
    reading = Reading()
    for option in options:
        state(option, reading)
    return reading


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
