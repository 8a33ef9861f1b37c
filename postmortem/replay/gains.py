"""Operations in a row through which a gradient is pulled back, each with the most that it can multiply by."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

import torch

from postmortem.replay.experiment import Ceiling, Mechanism
from postmortem.replay.reference.residual_gain import residual_stage
from postmortem.replay.reference.rms_rescale import rms_rescale
from postmortem.replay.reference.standardise import standardise
from postmortem.replay.values import amount, between, number, shown, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.experiment import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.reference.standardise import Place

Range = tuple[float, float]

USUAL: Final[Range] = (1.0, 100.0)
STAGES: Final = (1, 6)
NORMS_A_STAGE: Final = (1, 4)
EPS: Final[Range] = (1e-12, 1e-5)
RMS_EPS: Final[Range] = (1e-8, 1e-8)
TARGET_RMS: Final[Range] = (0.1, 10.0)
#: Width of the vectors; no bound here depends on it.
WIDTH: Final = 16
#: More operations in a row than this are not simulated; bounds are of the true number.
LONGEST: Final = 64
TOLERANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Gain:
    """What the log asks for: the gradient norm it shows, and the range of what it was multiplied from."""

    total: float
    usual: Range

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Gain | None:
        """From the total norm, or else a part of it, which bounds it from below; None where none is shown."""
        shown_norms = (number(facts, key) for key in ("total_norm", "largest_norm", "largest_entry"))
        total = next((norm for norm in shown_norms if norm), None)
        return None if total is None else cls(total, known(facts, "usual_norm", USUAL))

    @property
    def least(self) -> float:
        """The least gain that the log asks for."""
        return self.total / self.usual[1]


@dataclass(frozen=True, slots=True)
class Chain:
    """Scenarios (b) of at most k operations in a row on vectors of n entries, in float64."""

    x: Tensor  # (k, b, n), unit RMS: each operation has an input of its own, which favours the mechanism
    gradient: Tensor  # (b, n), unit norm, as it comes from the loss
    count: Tensor  # (b,), operations
    usual: Tensor  # (b,), the norm that is multiplied
    strength: Tensor  # (b, 1), what is solved: the RMS that the inputs have collapsed to, say
    numbers: dict[str, Tensor]  # (b, 1), by knob


class Amplifier(Mechanism[Chain]):
    """One kind of operation, repeated; its strength is solved so that the logged norm is shown."""

    dtype: ClassVar[str] = "float64"
    unit: ClassVar[str]
    formula: ClassVar[str]

    @abstractmethod
    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        """The operation's own numbers by knob, from the log or the prior."""

    @abstractmethod
    def each(self, facts: Mapping[str, Fact]) -> float:
        """The most that one operation multiplies a gradient by, over all that the log and the prior allow."""

    @abstractmethod
    def apply(self, x: Tensor, chain: Chain, knobs: Mapping[str, Value]) -> Tensor:
        """The operation's output for inputs of unit RMS at the chain's strength: (b, n) to (b, n)."""

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:  # noqa: ARG002 - a default
        """The strength at which one operation multiplies by about `gain`: (b, 1) to (b, 1)."""
        return torch.ones_like(gain)

    def counts(self, facts: Mapping[str, Fact]) -> tuple[int, int]:
        """The fewest and the most operations in a row."""
        stages = number(facts, "stages", least=1)
        return STAGES if stages is None else (int(stages), int(stages))

    def draw(self, facts: Mapping[str, Fact], lab: Lab, generator: torch.Generator) -> Chain:
        """`lab.draws` chains, whose strength is solved for the logged norm."""
        gain, (fewest, most) = Gain.of(facts), (min(count, LONGEST) for count in self.counts(facts))
        if gain is None:
            raise ValueError("no gradient norm among the facts")
        b, options = lab.draws, {"generator": generator, "device": lab.device, "dtype": torch.float64}
        x, gradient = torch.randn(most, b, WIDTH, **options), torch.randn(b, WIDTH, **options)
        chain = Chain(
            x=x / x.square().mean(-1, keepdim=True).sqrt(),
            gradient=gradient / gradient.norm(dim=-1, keepdim=True),
            count=torch.randint(fewest, most + 1, (b,), generator=generator, device=lab.device),
            usual=between(*gain.usual, (b,), generator).double(),
            strength=torch.ones(b, 1, device=lab.device, dtype=torch.float64),
            numbers={
                knob: between(*ends, (b, 1), generator).double() for knob, ends in self.ranges(facts).items()
            },
        )
        return self._solved(chain, gain.total)

    def observe(self, scenario: Chain, knobs: Mapping[str, Value]) -> Observed:
        """The gradient `norm` behind the chain, and the `usual` one before it. Clipping comes after the norm."""
        return {"norm": scenario.usual * self._gain(scenario, knobs), "usual": scenario.usual}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the norm is the logged one within 5 %."""
        gain = Gain.of(facts)
        return (observed["norm"] / (gain.total if gain else math.nan) - 1).abs() <= TOLERANCE

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The bound of one operation to the power of the most in a row, where the log asks for more."""
        gain, most = Gain.of(facts), self.counts(facts)[1]
        if gain is None or most * math.log(self.each(facts)) >= math.log((1 - TOLERANCE) * gain.least):
            return None
        ceiling = self.each(facts) ** most
        return Ceiling(
            ceiling, f"a gain of {shown(ceiling)} at most, {shown(gain.least)} or more is asked for"
        )

    def needs(self, facts: Mapping[str, Fact]) -> str:
        """The gain that each operation would have to have, against the most that it can have."""
        gain, most, each = Gain.of(facts), self.counts(facts)[1], self.each(facts)
        if gain is None:
            return ""
        needed = gain.least ** (1 / most)
        text = (
            f"{most} {self.unit}{'s' if most > 1 else ''} in a row would have to give {shown(needed)} each, "
            f"where {self.formula} allows {shown(each)}"
        )
        if needed > each:
            return text
        fewest = max(1, math.ceil(math.log(gain.least) / math.log(each))) if each > 1 else most
        return f"{text} (from {fewest} in a row on it is allowed, which is no evidence for it)"

    def _solved(self, chain: Chain, total: float) -> Chain:
        wanted = (total / chain.usual).log() / chain.count
        aim = wanted
        for _ in range(4):
            chain = replace(chain, strength=self.strength(aim.exp().unsqueeze(-1), chain))
            reached = self._gain(chain, {}).log() / chain.count
            aim = (aim + (wanted - reached).nan_to_num(0.0, 0.0, 0.0)).clamp(-700, 700)
        return chain

    def _gain(self, chain: Chain, knobs: Mapping[str, Value]) -> Tensor:
        """By how much the chain multiplies the norm of the gradient, pulled back by autograd: (b,)."""
        chain = replace(chain, numbers={**chain.numbers, **_turned(chain, knobs)})
        gradient = chain.gradient
        for place, unit in enumerate(chain.x):
            with torch.enable_grad():
                x = unit.clone().requires_grad_()
                output, inputs = self.apply(x, chain, knobs)
                (pulled,) = torch.autograd.grad(output, inputs, gradient)
            gradient = pulled.where((place < chain.count).unsqueeze(-1), gradient)
        return gradient.norm(dim=-1)
