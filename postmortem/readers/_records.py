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
_PLACING: Final = frozenset({"step", "batch", "epoch", "split", "time"})
#: Names in all the rows of names that are remembered.
_MOST_PLANNED: Final = 200_000


class _Name(NamedTuple):
    """What a name stands for. Of several counters in a record that of the lowest `order` is the step."""

    role: Role
    order: int = 0


class _Plan(NamedTuple):
    """What the names of a record make of it, whatever its values are."""

    roles: Mapping[str, Role]
    places: list[str]  # the names that may place the record, the likeliest first
    dialect: Dialect | None
    measured: bool
    configured: bool


@dataclass(slots=True)
class Records:
    """The records of one file. `left_out` counts what has no place in a frame."""

    rows: Rows
    left_out: Counter[str] = field(default_factory=Counter)
    dialect: Dialect | None = None
    used: Counter[str] = field(default_factory=Counter)
    _names: dict[str, _Name] = field(default_factory=dict)
    _settings: dict[str, str] = field(default_factory=dict)
    _plans: dict[tuple[str, ...], _Plan] = field(default_factory=dict)

    def put(self, place: Place, record: Mapping[str, object], fixed: Mapping[str, str] | None = None) -> bool:
        """Rows for all that a record holds; False where it holds nothing. Its counters place the rest of it."""
        plan = self._plan(record)
        dialect = self.dialect or plan.dialect
        place = replace(place, dialect=dialect.name if dialect else place.dialect)
        fixed, placed = dict(fixed or {}), set()
        # a step is printed whole; fairseq's `update` is a share of the epoch that may happen to be 1.0
        for name in sorted(plan.places, key=lambda name: "." in str(record[name])):
            if self._place(place, name, plan.roles[name], record[name], dialect, fixed):
                placed.add(name)
        measured = bool(placed) or plan.measured
        configured = not measured and plan.configured
        read = bool(placed)
        for name, value in record.items():
            if value is not None and value != "" and name not in placed:
                read |= self._value(place, name, plan.roles[name], value, dialect, fixed, configured=configured)
        if read:
            self.used[place.dialect or ""] += 1
        return read

    def _plan(self, record: Mapping[str, object]) -> _Plan:
        """What these names make of a record; what one row of names made is remembered."""
        key = tuple(record)
        if (plan := self._plans.get(key)) is None:
            known = {name: self._name(name) for name in record}
            roles = {name: one.role for name, one in known.items()}
            places = [name for name in sorted(record, key=lambda name: known[name].order) if roles[name] in _PLACING]
            kinds = set(roles.values())
            plan = _Plan(roles, places, self._dialect(roles), "metric" in kinds, bool(kinds & {"setting", "both"}))
            if (len(self._plans) + 1) * len(key) <= _MOST_PLANNED:
                self._plans[key] = plan
        return plan

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

    @staticmethod
    def _dialect(roles: Mapping[str, Role]) -> Dialect | None:
        """The dialect one of whose records has all these names."""
        keys = roles.keys()
        return next((one for one in dialects.shipped().all for needed in one.records if keys >= set(needed)), None)

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
        if role == "beyond":
            return self.room(name)
        number = as_number(value)
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
