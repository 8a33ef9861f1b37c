"""The reader of lines that no dialect describes: counters, `key=value`, `key: value`, `key value`, dicts, ranges."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers, spelled
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
from postmortem.parsing.unnamed import unnamed
from postmortem.parsing.worded import worded
from postmortem.parsing.words import names_loss, only_metric, row_of, whole_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.parsing.names import Names

#: The sides of a box that is drawn around a table.
_DRAWN_WITH: Final = re.compile("[\u2502\u2503]")
#: A constant or a variable of the environment, which a program sets and does not measure.
_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
#: A field of a format string, in a line of code that a traceback or a write-up quotes: `{loss:.4f}`, `{step:>5d}`.
_FORMAT_FIELD: Final = re.compile(r"\{[^{}:]*:[<>^=+ ,_]*[0-9]*(?:\.[0-9]+[eEfFgG%]|[<>^]?d)\}")
#: What an earlier epoch measured, which was the best: `Best Epoch 6  Acc: 0.5`, `at 11 (melhor: epoch 1, loss=1.5)`.
_BEST: Final = re.compile(
    r"(?:\A\W{0,8}|[(\[]\s?)(?:[Bb]est|[Mm]el?hor|[Mm]ejor|[Mm]eilleure?|[Mm]igliore|[Bb]este[rs]?)\s?[:=]?\s?"
    r"(?:[Ee]poch|[Ii]ter(?:ation)?|[Ss]tep|\u00e9poque|epoca|\u00e9poca|[Ee]poche)\b"
)
#: A number and a bar before names with decimal numbers and bars between: ` 7| L 0.75 | acc 0.5 | len 30.0`.
_COUNTED_ROW: Final = re.compile(r"\s*[0-9]{1,12}\s?\|\s+[A-Za-z][^|]{0,40}\s[-+]?[0-9]*\.[0-9]+\s*\|")
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


def read_record(text: str, names: Names, counters: Reading | None = None) -> Reading:
    """What one record holds. `counters` is what `read_counters` found in it, if that was asked before."""
    text, drawn = text[:LONGEST], False
    if not text.isascii():
        drawn = _DRAWN_WITH.search(text) is not None
    text = spelled.plain(text)
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
    reading.metrics += unnamed(text, reading)
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
        pairs = named_behind(text, names, reading.looked_at) or whole_of(text, names, reading.looked_at)
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
