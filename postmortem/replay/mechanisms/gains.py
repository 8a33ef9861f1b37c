"""Operations in a row through which a gradient is pulled back, each with the most that it multiplies by."""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Self

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.values import amount, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

Range = tuple[float, float]

USUAL: Final[Range] = (1.0, 100.0)
STAGES: Final = (1, 6)
#: A count in a log is not trusted to be a sensible one.
MOST_STAGES: Final = 10**6
#: Width of the vectors; no bound here depends on it.
WIDTH: Final = 16
#: More operations in a row than this are not simulated; bounds are of the true number.
LONGEST: Final = 24
TOLERANCE: Final = 0.05
#: Stands for 0 where a logarithm or a root's slope is taken; its square is still a float64.
LEAST: Final = 1e-100


@dataclass(frozen=True, slots=True)
class Gain:
    """What the log asks for: the gradient norm it shows, and the range of what it was multiplied from."""

    total: float
    usual: Range

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Self:
        """From the total norm, or else a part of it, which bounds it from below; 0 where the log shows none."""
        norms = (number(facts, key) for key in ("total_norm", "largest_norm", "largest_entry"))
        return cls(next(filter(None, norms), 0.0), known(facts, "usual_norm", USUAL, least=LEAST))

    @property
    def least(self) -> float:
        """The least gain that the log asks for, as a number that has a logarithm."""
        return max(min(self.total / self.usual[1], sys.float_info.max), sys.float_info.min)


@dataclass(frozen=True, slots=True)
class Chain:
    """Scenarios (b) of at most k operations in a row on vectors of n entries, in float64."""

    x: Tensor  # (k, b, n), unit RMS: each operation has an input of its own, which favours the mechanism
    gradient: Tensor  # (b, n), unit norm, as it comes from the loss
    count: Tensor  # (b,), operations
    usual: Tensor  # (b,), the norm that is multiplied
    strength: Tensor  # (b, 1), what is solved: the RMS that the inputs have collapsed to, say
    numbers: dict[str, Tensor]  # (b, 1), by knob: what the operation is built with
    gain: Tensor  # (b,), by what the chain multiplies the norm of the gradient, all numbers as drawn


class Amplifier(Mechanism[Chain]):
    """One kind of operation, repeated; its strength is solved so that the logged norm is shown."""

    dtype: ClassVar[str] = "float64"
    unit: ClassVar[str]
    formula: str  # of the most that one operation multiplies by

    @abstractmethod
    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        """The operation's own numbers by knob, from the log or the prior."""

    @abstractmethod
    def each(self, facts: Mapping[str, Fact]) -> float:
        """The most that one operation multiplies a gradient by, over all that the log and the prior allow."""

    @abstractmethod
    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        """The operation's inputs, from entries of unit RMS: (b, n) to (b, n)."""

    @abstractmethod
    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        """The operation itself: (b, n) to (b, n)."""

    @abstractmethod
    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        """The strength at which one operation multiplies by about `gain`: (b, 1) to (b, 1)."""

    def counts(self, facts: Mapping[str, Fact]) -> tuple[int, int]:
        """The fewest and the most operations in a row."""
        stages = number(facts, "stages", least=1)
        return STAGES if stages is None else (min(int(stages), MOST_STAGES),) * 2

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Chain:
        """`lab.draws` chains, whose strength is solved for the logged norm."""
        gain, (fewest, most) = Gain.of(facts), (min(count, LONGEST) for count in self.counts(facts))
        b = lab.draws
        x = stream.normal((most, b, WIDTH)).double()
        gradient = stream.normal((b, WIDTH)).double()
        chain = Chain(
            x=x / x.square().mean(-1, keepdim=True).sqrt(),
            gradient=gradient / gradient.norm(dim=-1, keepdim=True),
            count=stream.integers(fewest, most + 1, (b,)),
            usual=stream.between(*gain.usual, (b,)).double(),
            strength=torch.ones(b, 1, dtype=torch.float64, device=stream.device),
            numbers={knob: stream.between(*ends, (b, 1)).double() for knob, ends in self.ranges(facts).items()},
            gain=torch.ones(b, dtype=torch.float64, device=stream.device),
        )
        return self._solved(chain, gain.total)

    def observe(self, scenario: Chain, knobs: Mapping[str, Value]) -> Observed:
        """The gradient `norm` behind the chain, and the `usual` one before it. Clipping comes after the norm."""
        turned = {
            knob: torch.full_like(old, amount(knob, knobs[knob]))
            for knob, old in scenario.numbers.items()
            if knob in knobs
        }
        after = replace(scenario, numbers={**scenario.numbers, **turned})
        gain = self._gain(after) if turned else scenario.gain
        return {"norm": scenario.usual * gain, "usual": scenario.usual}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the norm is the logged one within 5 %."""
        return (observed["norm"] / Gain.of(facts).total - 1).abs() <= TOLERANCE

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The bound of one operation to the power of the most in a row, where the log asks for more."""
        least, most, each = Gain.of(facts).least, self.counts(facts)[1], self.each(facts)
        if most * math.log(each) >= math.log((1 - TOLERANCE) * least):
            return None
        return Ceiling(each**most, f"a gain of {shown(each**most)} at most, where {shown(least)} or more is asked for")

    def needed(self, facts: Mapping[str, Fact]) -> float:
        """The gain that the strongest operation has at least, if this mechanism is to show the logged norm."""
        return float(Gain.of(facts).least ** (1 / self.counts(facts)[1]))

    def needs(self, facts: Mapping[str, Fact]) -> str:
        """The gain that each operation would have to have, against the most that it can have."""
        most, each, needed = self.counts(facts)[1], self.each(facts), self.needed(facts)
        text = (
            f"{most} {self.unit}{'s' if most > 1 else ''} in a row need a gain of {shown(needed)} each, "
            f"{self.formula} allows {shown(each)}"
        )
        if needed > each:
            return text
        fewest = max(1, math.ceil(math.log(Gain.of(facts).least) / math.log(each))) if each > 1 else 1
        return f"{text}: not excluded from {fewest} in a row on, and not shown by that"

    def _solved(self, chain: Chain, total: float) -> Chain:
        wanted = (total / chain.usual).log() / chain.count
        aim = wanted
        for _ in range(5):
            chain = replace(chain, strength=self.strength(aim.exp().unsqueeze(-1), chain))
            chain = replace(chain, gain=self._gain(chain))
            missing = wanted - chain.gain.log() / chain.count
            aim = (aim + missing.nan_to_num(0.0, 0.0, 0.0)).clamp(-300, 300)
        return chain

    def _gain(self, chain: Chain) -> Tensor:
        """By how much the chain multiplies the norm of the gradient, pulled back by autograd: (b,)."""
        gradient = chain.gradient
        for place, unit in enumerate(chain.x):
            with torch.enable_grad():
                x = self.inputs(unit, chain).detach().requires_grad_()
                (pulled,) = torch.autograd.grad(self.apply(x, chain), x, gradient)
            gradient = pulled.where((place < chain.count).unsqueeze(-1), gradient)
        norm: Tensor = torch.linalg.vector_norm(gradient, dim=-1)
        return norm


def known(facts: Mapping[str, Fact], key: str, prior: Range, *, least: float = 0.0) -> Range:
    """The value that the log gives, as a range of one; the prior where it gives none."""
    value = number(facts, key, least=least)
    return prior if value is None else (value, value)
