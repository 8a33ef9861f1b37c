"""What a record holds that no dialect describes: the words for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

#: Characters of a record that are read.
LONGEST: Final = 20_000
#: Characters before a number or a counter in which its name is looked for.
WINDOW: Final = 80

Where = tuple[int, int]


class Pair(NamedTuple):
    """A key as printed, a number, the number as printed, where the number stands, the class and the model it is of."""

    key: str
    value: float
    text: str
    at: Where
    scope: str | None = None
    model: str | None = None


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
    history: bool = False  # its metrics are curves as lists, a value an epoch

    @property
    def empty(self) -> bool:
        """True where neither a value nor a counter was found."""
        return not (self.holds or self.has_place)

    @property
    def holds(self) -> bool:
        """True where a value was found, not only a counter."""
        return bool(self.metrics or self.settings or self.tensor)

    @property
    def has_place(self) -> bool:
        """True where a counter was found."""
        return self.step is not None or self.epoch is not None
