"""Curves printed as lists, a value an epoch: `{"loss": [0.5, 0.25], ...}`, `train_losses = [...]`, a bare list.

A program prints them at its end, so that no counter stands beside them: a value's place in its list is its epoch.
Flower prints it with each value, `losses_distributed [(1, 0.5), (2, 0.25)]`, of rounds that are evaluated on clients
or at the centre.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem.parsing.reading import WINDOW, Pair
from postmortem.parsing.words import look, names_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: What such rows have as their dialect.
DIALECT: Final = "history"
#: Fewer values are a size, or one measure's parts.
_FEWEST: Final = 3
#: A list without a known name may be a vector: so many values are none below zero.
_FEWEST_UNKNOWN: Final = 10
_LIST: Final = re.compile(r"\[(?P<values>[^\[\]]{5,})\]")
#: Its name, right before it.
_KEY: Final = re.compile(
    r"(?P<quote>['\"]?)(?P<key>[A-Za-z][\w@./-]{0,60}(?:\s[A-Za-z][\w@./-]{0,30}){0,3})(?P=quote)\s?(?:[:=]\s?|\s)\Z"
)
#: No comma may belong to a number here.
_VALUE: Final = re.compile(
    r"\s*(?P<quote>['\"]?)(?:(?:np|numpy)\.float[0-9]+\(|tensor\()?"
    r"(?P<number>[-+]?(?:[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+|inf|nan|NaN|Infinity))\)?(?P=quote)\s*"
)
#: A list of rounds, each with its value, and one of them.
_ROUNDS: Final = re.compile(
    r"\[(?P<values>\s*\([0-9]{1,6},[^()\[\]]{1,40}\)(?:,\s*\([0-9]{1,6},[^()\[\]]{1,40}\))*)\s*\]"
)
_ROUND: Final = re.compile(r"\((?P<round>[0-9]{1,6}),(?P<value>[^()\[\]]{1,40})\)")
#: Of a value before the first round, before its name: it is of round 0.
_BEFORE: Final = "initial "
#: What was evaluated in them, by the name of the list or of the dict that holds it.
_EVALUATED: Final = re.compile(r"\b(?P<what>losses|metrics)_(?:distributed|centralized)\b(?!_fit)")
#: What a list's name has beside that of its values: `loss_history`, `val_acc_list`, `train losses`.
_LISTED: Final = re.compile(r"(?i)[\s_]?(?:history|hist|list|lst|arr|array|curve|values|all|per[\s_]epoch)$")
_PLURAL: Final = re.compile(r"(?i)(?<=loss)es$|(?<=[a-rt-z])s$")
_FRACTION: Final = re.compile(r"[.eE]|(?i:nan|inf)")


class _List(NamedTuple):
    """A list of numbers: what stands before it as its name, where that and the list stand, and the numbers."""

    name: str
    at: Where
    span: Where
    values: Sequence[Pair]


def histories(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """The values of all curves in a record that counts nothing; none where its lists may be anything else."""
    if "[" not in text:
        return []
    if "(1," in text and (rounds := _of_rounds(text, names, looked_at)):
        return rounds
    if text.count(",") < _FEWEST - 1:
        return []
    lists = [one for found in _LIST.finditer(text) if (one := _list(found))]
    # a loss is one number an epoch; what else a list may hold one of for each class is known by the loss beside it
    lengths = {len(one.values) for one in lists if _is_loss(of_values(one.name, names), names)}
    found: list[Pair] = []
    for one in lists:
        if one.name and len(one.values) in lengths:
            look(one.name, text, one.at, looked_at)
            found += (pair._replace(key=of_values(one.name, names)) for pair in one.values)
    if not found and len(lists) == 1:
        found = _alone(lists[0], text, names)
        look(lists[0].name, text, lists[0].at, looked_at)
    return found


def _of_rounds(text: str, names: Names, looked_at: list[Where]) -> list[Pair]:
    """Values that stand with their rounds, 1, 2, 3..., in lists that have names. One before the first is named so."""
    found: list[Pair] = []
    evaluated = _EVALUATED.search(text)
    for listed in _ROUNDS.finditer(text):
        before = max(listed.start() - WINDOW, 0)
        key = _KEY.search(text[before : listed.start()])
        pairs = list(_ROUND.finditer(text, *listed.span("values")))
        numbers = [_VALUE.fullmatch(pair["value"]) for pair in pairs]
        rounds = [int(pair["round"]) for pair in pairs]
        if (
            key is None
            or not all(numbers)
            or rounds != list(range(rounds[0], rounds[0] + len(rounds)))
            or rounds[0] > 1
        ):
            continue
        look(key["key"], text, (before, listed.start()), looked_at)
        name = "loss" if evaluated and evaluated["what"] == "losses" else of_values(key["key"], names)
        name = f"eval {name}" if evaluated else name
        for round_, pair, number in zip(rounds, pairs, numbers, strict=True):
            assert number is not None  # noqa: S101 - asked above
            at = pair.start("value") + number.start("number")
            of = name if round_ else f"{_BEFORE}{name}"
            found.append(Pair(of, float(number["number"]), number["number"], (at, at + len(number["number"]))))
    return found


def _list(found: re.Match[str]) -> _List | None:
    """A list of which every item is a number, and one of them a fraction."""
    values, start = [], found.start("values")
    for item in found["values"].split(","):
        number = _VALUE.fullmatch(item)
        if number is not None:
            at = start + number.start("number")
            values.append(Pair("values", float(number["number"]), number["number"], (at, at + len(number["number"]))))
        elif item.strip():  # none but the end behind the last comma
            return None
        start += len(item) + 1
    if len(values) < _FEWEST or not any(_FRACTION.search(value.text) for value in values):
        return None
    before = max(found.start() - WINDOW, 0)
    key = _KEY.search(found.string[before : found.start()])
    return _List(key["key"] if key else "", (before, found.start()), found.span(), values)


def _alone(one: _List, text: str, names: Names) -> list[Pair]:
    """A record that is one long list, of a name that nobody knows or of none."""
    start, end = one.span
    if text[end:].strip() or text[:start].strip(" \t:='\"") != one.name:
        return []
    vector = any(value.text.startswith("-") or not _FRACTION.search(value.text) for value in one.values)
    # `thresholds`, `betas`: one for each of several
    several = one.name.endswith("s") or names.setting(one.name) is not None or names.metric(one.name).known
    if vector or several or len(one.values) < _FEWEST_UNKNOWN:
        return []
    return [value._replace(key=one.name or value.key) for value in one.values]


def of_values(name: str, names: Names) -> str:
    """The name of a list's values: `train_losses` is `train_loss`."""
    key = _LISTED.sub("", name)
    return key if names.metric(key).known else _PLURAL.sub("", key)


def _is_loss(key: str, names: Names) -> bool:
    metric = names.metric(key)
    return (metric.known and "loss" in metric.name) or names_loss(key)


def numbered(metrics: pl.DataFrame) -> pl.DataFrame:
    """`metrics`, each value of such a list with its place there, from 1, as its epoch."""
    if not (metrics["dialect"] == DIALECT).any():
        return metrics
    listed = pl.col("dialect").eq_missing(DIALECT)
    place = pl.int_range(1, pl.len() + 1).over("line", "record", "source_name")
    place -= pl.col("source_name").str.starts_with(_BEFORE).cast(pl.Int64)
    found = metrics.with_columns(
        epoch=pl.when(listed).then(place.cast(pl.Float64)).otherwise("epoch"),
        step=pl.when(listed).then(None).otherwise("step"),
        step_unit=pl.when(listed).then(None).otherwise("step_unit"),
        record=pl.when(listed).then(place.cast(metrics["record"].dtype)).otherwise("record"),
    )
    return found.sort("line", "record", maintain_order=True)
