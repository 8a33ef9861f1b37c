"""Flat records, `name: value`, to rows: which name counts, which is measured, which is configured."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from postmortem.parsing import dialects, names, numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.parsing.dialect import Dialect
    from postmortem.parsing.rows import Place, Rows

#: Names that one file may use; a file that makes up names cannot make this grow.
MOST_NAMES: Final = 10_000
#: Characters of a number that are kept as its text.
_LONGEST_TEXT: Final = 80
#: A longer text is no number.
_LONGEST_NUMBER: Final = 10_000
#: Characters of a setting that are kept.
LONGEST_SETTING: Final = 2_000
#: A larger counter is none.
LARGEST_STEP: Final = 10**12
_NUMBER: Final = re.compile(rf"({numbers.NUMBER})\s?%?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
_SPLIT_NAMES: Final = frozenset({"mode", "split", "phase"})
_TIME_NAMES: Final = frozenset({"ts", "time", "timestamp", "datetime", "date", "wall_time", "time_stamp"})

Role = Literal["step", "batch", "epoch", "split", "time", "metric", "setting", "both", "unknown", "beyond"]


class _Name(NamedTuple):
    """What a name stands for. Of several counters in a record that of the lowest `order` is the step."""

    role: Role
    order: int = 0


@dataclass(slots=True)
class Records:
    """The records of one file. `left_out` counts what has no place in a frame."""

    rows: Rows
    left_out: Counter[str] = field(default_factory=Counter)
    dialect: Dialect | None = None
    used: Counter[str] = field(default_factory=Counter)
    _names: dict[str, _Name] = field(default_factory=dict)
    _settings: dict[str, str] = field(default_factory=dict)
    _whose: dict[frozenset[str], Dialect | None] = field(default_factory=dict)

    def put(self, place: Place, record: Mapping[str, object], fixed: Mapping[str, str] | None = None) -> bool:
        """Rows for all that a record holds; False where it holds nothing. Its counters place the rest of it."""
        known = {name: self._name(name) for name in record}
        dialect = self.dialect or self._dialect(known)
        place = replace(place, dialect=dialect.name if dialect else place.dialect)
        fixed, placed = dict(fixed or {}), set()
        # a step is printed whole; fairseq's `update` is a share of the epoch that may happen to be 1.0
        for name in sorted(record, key=lambda name: ("." in str(record[name]), known[name].order)):
            if self._place(place, name, known[name].role, record[name], dialect, fixed):
                placed.add(name)
        roles = {known[name].role for name in record}
        measured = bool(placed) or "metric" in roles
        configured = not measured and bool(roles & {"setting", "both"})
        read = bool(placed)
        for name, value in record.items():
            if name not in placed:
                read |= self._value(place, name, known[name].role, value, dialect, fixed, configured=configured)
        if read:
            self.used[place.dialect or ""] += 1
        return read

    def setting(self, place: Place, key: str, value: object) -> None:
        """A configured value, once until it changes."""
        text = str(value)
        if self.room(key) and self._settings.get(key) != text:
            self._settings[key] = text
            if len(text) > LONGEST_SETTING:
                self.left_out["ends of long settings"] += 1
            self.rows.setting(place, key, text[:LONGEST_SETTING], as_number(value), "log")

    def room(self, name: str) -> bool:
        """True where the file may use this name; else a value is counted as left out."""
        if self._name(name).role != "beyond":
            return True
        self.left_out[f"values of names beyond the first {MOST_NAMES:,}"] += 1
        return False

    def counts_steps(self, name: str) -> bool:
        """True for a name that steps are counted under."""
        return self._name(name).role == "step"

    def _name(self, name: str) -> _Name:
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= MOST_NAMES:
                return _Name("beyond")
            known = self._names[name] = _classify(name, self.rows.names)
        return known

    def _dialect(self, known: Mapping[str, _Name]) -> Dialect | None:
        """The dialect one of whose records has all these names; what one set of names said is remembered."""
        if len(known) > MOST_NAMES // 100:
            return None
        keys = frozenset(known)
        if keys not in self._whose:
            if len(self._whose) >= MOST_NAMES:
                return None
            self._whose[keys] = next(
                (one for one in dialects.shipped().all for needed in one.records if keys >= set(needed)), None
            )
        return self._whose[keys]

    def _place(
        self, place: Place, name: str, role: Role, value: object, dialect: Dialect | None, fixed: dict[str, str]
    ) -> bool:
        """Take a counter, a time stamp or a split into the record's place; False where the value is none."""
        number = as_number(value)
        if role in {"step", "batch"} and number is not None and number.is_integer() and abs(number) < LARGEST_STEP:
            if place.step is None:
                unit = dialect.means.get("step", "unknown") if dialect else "unknown"
                place.step, place.step_unit = int(number), "batch_of_epoch" if role == "batch" else unit
                return True
        elif role == "epoch" and number is not None and math.isfinite(number):
            if place.epoch is None:
                place.epoch = number
                return True
        elif role == "time" and (stamp := _stamp(value, name)):
            place.ts = place.ts or stamp
            return True
        elif role == "split" and isinstance(value, str):
            split = self.rows.names.splits.get(names.normalise(value))
            if split:
                fixed.setdefault("split", split)
                return True
        return False

    def _value(
        self,
        place: Place,
        name: str,
        role: Role,
        value: object,
        dialect: Dialect | None,
        fixed: Mapping[str, str],
        *,
        configured: bool,
    ) -> bool:
        if value is None or value == "":
            return False
        number = as_number(value)
        if not self.room(name):
            return False
        if role == "setting" or configured:
            self.setting(place, name, value)
        elif number is None:
            self.left_out["values that are no numbers"] += 1
        else:
            self.rows.metric(place, name, number, str(value)[:_LONGEST_TEXT], dialect=dialect, fixed=fixed)
            return True
        return role == "setting" or configured


def as_number(value: object) -> float | None:
    """The number that a value is or spells, `12.5%` as 12.5; None for words, truth values and nothing."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float | int):
        return float(value)
    text = str(value)
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST_NUMBER else None
    return numbers.read(found[1]) if found else None


def utc(seconds: float) -> str | None:
    """Seconds since 1970 as a time stamp in UTC; None where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None


def _classify(name: str, known: names.Names) -> _Name:
    key = names.normalise(name)
    head, _, tail = key.partition("_")
    # train_num_updates, trainer/global_step
    spellings = [key, tail if head in known.splits else "", names.normalise(name.rpartition("/")[2])]
    for spelling in spellings:
        if len(spelling) > 1 and (role := known.counters.get(spelling)):
            return _Name(_COUNTS[role], list(known.counters).index(spelling))
    if key in _SPLIT_NAMES:
        return _Name("split")
    metric, setting = known.metric(name).known, known.setting(name) is not None
    if metric or setting:
        return _Name("both" if metric and setting else "metric" if metric else "setting")
    return _Name("time" if key in _TIME_NAMES else "unknown")


_COUNTS: Final[Mapping[str, Role]] = {"step": "step", "batch": "batch", "epoch": "epoch"}


def _stamp(value: object, name: str) -> str | None:
    """A date as it is printed, or the seconds since 1970 of what is called a time stamp."""
    if isinstance(value, str) and _DATE.match(value):
        return value
    number = as_number(value)
    return utc(number) if number is not None and number > 1e9 and names.normalise(name) != "time" else None  # noqa: PLR2004 - 2001
