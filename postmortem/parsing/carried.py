"""The step and epoch that a line gives to the lines after it, up to the next that says otherwise or a blank one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from postmortem.parsing import sift

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Flags, Ints, Values


@dataclass(slots=True)
class Channel:
    """One carried value, by the record after which it holds: row 0 came in, and is replaced from `record` 1 on."""

    record: Ints
    value: Values
    known: Flags
    unit: Ints

    def before(self, record: Ints) -> Ints:
        """For each record, the row that holds there."""
        return sift.before(self.record, record)

    def last(self) -> Channel:
        """What goes on into the next piece."""
        return Channel(np.array([-1]), self.value[-1:], self.known[-1:], self.unit[-1:])

    def then(self, record: Ints, value: Values, unit: Ints, ended: Ints) -> Channel:
        """With what `record` says, and with nothing after each record in `ended`."""
        records = np.concatenate((self.record, record, ended)).astype(np.int64)
        order = np.argsort(records, kind="stable")
        blank = np.zeros(len(ended), self.value.dtype)
        return Channel(
            records[order],
            np.concatenate((self.value, value.astype(self.value.dtype), blank))[order],
            np.concatenate((self.known, np.ones(len(record), np.bool_), np.zeros(len(ended), np.bool_)))[order],
            np.concatenate((self.unit, unit, np.zeros(len(ended)))).astype(np.int64)[order],
        )


def nothing(kind: type[np.int64 | np.float64]) -> Channel:
    """Before the first record nothing is carried."""
    zero = np.zeros(1, np.int64)
    return Channel(zero - 1, np.zeros(1, kind), np.zeros(1, np.bool_), zero)


@dataclass(slots=True)
class Carried:
    """Both channels of one piece. Units are numbers that `units` gives out; 0 is none."""

    step: Channel = field(default_factory=lambda: nothing(np.int64))
    epoch: Channel = field(default_factory=lambda: nothing(np.float64))

    def last(self) -> Carried:
        """What goes on into the next piece."""
        return Carried(self.step.last(), self.epoch.last())

    def at(self, record: int, units: list[tuple[object, ...]]) -> tuple[int | None, str | None, float | None]:
        """Step, unit and epoch that hold at one record."""
        step, epoch = (int(np.searchsorted(channel.record, record)) - 1 for channel in (self.step, self.epoch))
        known = bool(self.step.known[step])
        return (
            int(self.step.value[step]) if known else None,
            str(units[self.step.unit[step]][0]) if known else None,
            float(self.epoch.value[epoch]) if self.epoch.known[epoch] else None,
        )
