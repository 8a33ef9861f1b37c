"""What a mechanism of a replay is: scenarios drawn, quantities observed, and when they show what the log shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from postmortem.replay.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.protocol import Fact, Lab, Value

S = TypeVar("S")
#: Observed quantities by name, each of shape (scenarios,), in float64 where a verdict rests on them.
Observed = dict[str, "Tensor"]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most a mechanism can show over its full range, by a bound or by a search, and why."""

    value: float
    because: str


class Mechanism(ABC, Generic[S]):
    """One way in which the symptom could have come about."""

    name: ClassVar[str]
    title: ClassVar[str]
    dtype: ClassVar[str] = "float32"
    family: str | None = None

    @abstractmethod
    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> S:
        """`lab.draws` scenarios as one batch. All randomness is drawn here, so that a knob moves alone.

        All randomness comes from `stream`, so that a seed means the same scenarios on every device.
        """

    def drawn(self, facts: Mapping[str, Fact], lab: Lab) -> S:
        """The scenarios of the lab's seed, on its device."""
        return self.draw(facts, lab, Stream(lab.seed, lab.device))

    @abstractmethod
    def observe(self, scenario: S, knobs: Mapping[str, Value]) -> Observed:
        """The quantities that the reference shows with `knobs` set to these values and all else as drawn."""

    @abstractmethod
    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """In which scenarios the log's numbers are shown within tolerance: booleans (scenarios,)."""

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a default
        """Why the mechanism cannot show the log's numbers at all; None where no bound or search says so."""
        return None

    def needs(self, facts: Mapping[str, Fact]) -> str:  # noqa: ARG002 - a default
        """What it would have to supply to show them, and what its bound allows; empty where it has none."""
        return ""
