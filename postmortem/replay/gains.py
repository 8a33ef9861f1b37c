"""Operations in a row through which a gradient is pulled back, each with the most that it can multiply by."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Self

import torch

from postmortem.replay.experiment import Ceiling, Mechanism
from postmortem.replay.reference.residual_gain import residual_bound, residual_stage
from postmortem.replay.reference.rms_rescale import rms_rescale
from postmortem.replay.reference.standardise import standardise
from postmortem.replay.values import amount, between, number, shown

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
LOGIT_SCALE: Final[Range] = (1e-2, 1e5)
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
        return cls(next(filter(None, norms), 0.0), _known(facts, "usual_norm", USUAL, least=LEAST))

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
    numbers: dict[str, Tensor]  # (b, 1), by knob: what the operation is built with


class Amplifier(Mechanism[Chain]):
    """One kind of operation, repeated; its strength is solved so that the logged norm is shown."""

    dtype: ClassVar[str] = "float64"
    unit: ClassVar[str]
    formula: str  # of the most that one operation multiplies by
    collapsed: ClassVar[str | None] = None  # the statistic of its input that has to be small, if one has to

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

    def collapse(self, facts: Mapping[str, Fact]) -> float | None:  # noqa: ARG002 - a default
        """How small the least of its collapsed inputs has to be; None where nothing has to collapse."""
        return None

    def counts(self, facts: Mapping[str, Fact]) -> tuple[int, int]:
        """The fewest and the most operations in a row."""
        stages = number(facts, "stages", least=1)
        return STAGES if stages is None else (int(stages), int(stages))

    def draw(self, facts: Mapping[str, Fact], lab: Lab, generator: torch.Generator) -> Chain:
        """`lab.draws` chains, whose strength is solved for the logged norm."""
        gain, (fewest, most) = Gain.of(facts), (min(count, LONGEST) for count in self.counts(facts))
        b = lab.draws
        x = torch.randn(most, b, WIDTH, generator=generator, device=lab.device, dtype=torch.float64)
        gradient = torch.randn(b, WIDTH, generator=generator, device=lab.device, dtype=torch.float64)
        chain = Chain(
            x=x / x.square().mean(-1, keepdim=True).sqrt(),
            gradient=gradient / gradient.norm(dim=-1, keepdim=True),
            count=torch.randint(fewest, most + 1, (b,), generator=generator, device=lab.device),
            usual=between(*gain.usual, (b,), generator).double(),
            strength=torch.ones(b, 1, device=lab.device, dtype=torch.float64),
            numbers={knob: between(*ends, (b, 1), generator).double() for knob, ends in self.ranges(facts).items()},
        )
        return self._solved(chain, gain.total)

    def observe(self, scenario: Chain, knobs: Mapping[str, Value]) -> Observed:
        """The gradient `norm` behind the chain, and the `usual` one before it. Clipping comes after the norm."""
        return {"norm": scenario.usual * self._gain(scenario, knobs), "usual": scenario.usual}

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
            f"{most} {self.unit}{'s' if most > 1 else ''} in a row would need a gain of {shown(needed)} each, "
            f"where {self.formula} allows {shown(each)}"
        )
        if needed > each:
            return text
        fewest = max(1, math.ceil(math.log(Gain.of(facts).least) / math.log(each))) if each > 1 else 1
        return f"{text}: from {fewest} in a row on the bound allows it, which is no evidence for it"

    def _solved(self, chain: Chain, total: float) -> Chain:
        wanted = (total / chain.usual).log() / chain.count
        aim = wanted
        for _ in range(4):
            chain = replace(chain, strength=self.strength(aim.exp().unsqueeze(-1), chain))
            missing = wanted - self._gain(chain, {}).log() / chain.count
            aim = (aim + missing.nan_to_num(0.0, 0.0, 0.0)).clamp(-300, 300)
        return chain

    def _gain(self, chain: Chain, knobs: Mapping[str, Value]) -> Tensor:
        """By how much the chain multiplies the norm of the gradient, pulled back by autograd: (b,)."""
        turned = {
            knob: torch.full_like(old, amount(knob, knobs[knob]))
            for knob, old in chain.numbers.items()
            if knob in knobs
        }
        chain = replace(chain, numbers={**chain.numbers, **turned})
        gradient = chain.gradient
        for place, unit in enumerate(chain.x):
            with torch.enable_grad():
                x = self.inputs(unit, chain).detach().requires_grad_()
                (pulled,) = torch.autograd.grad(self.apply(x, chain), x, gradient)
            gradient = pulled.where((place < chain.count).unsqueeze(-1), gradient)
        return gradient.norm(dim=-1)


class CollapsedLayerNorm(Amplifier):
    """Norms whose input has lost its variance: only eps is left in the divisor."""

    name = "layer_norm"
    title = "layer norms of collapsed variance"
    unit = "norm"
    collapsed = "std of a vector that enters a norm"

    def __init__(self, place: Place) -> None:
        self.place: Place = place
        self.family = f"eps {place} the root"
        self.formula = "max|w| / sqrt(eps)" if place == "inside" else "max|w| / eps"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        return {"eps": _known(facts, "eps", EPS), "weight": (_weight(facts),) * 2}

    def each(self, facts: Mapping[str, Fact]) -> float:
        eps = self.ranges(facts)["eps"][0]
        smallest = math.sqrt(eps) if self.place == "inside" else eps
        return _weight(facts) / smallest if smallest else math.inf

    def counts(self, facts: Mapping[str, Fact]) -> tuple[int, int]:
        fewest, most = super().counts(facts)
        return fewest * NORMS_A_STAGE[0], most * NORMS_A_STAGE[1]

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        return chain.strength * unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        return chain.numbers["weight"] * standardise(x, chain.numbers["eps"], place=self.place)

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        divisor, eps = chain.numbers["weight"] / gain, chain.numbers["eps"]
        std = (divisor.square() - eps).clamp(min=0).sqrt() if self.place == "inside" else divisor - eps
        return std.clamp(min=LEAST)

    def collapse(self, facts: Mapping[str, Fact]) -> float:
        return _weight(facts) / self.needed(facts)


class CollapsedRms(Amplifier):
    """Rescaling to a target RMS of what has almost none."""

    name = "rms_rescale"
    title = "rescaling by a near-zero RMS"
    unit = "stage"
    formula = "target_rms / rms_eps, clamped where the log says so,"
    collapsed = "output_rms before scaling"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        return {
            "target_rms": _known(facts, "target_rms", TARGET_RMS, least=LEAST),
            "rms_eps": _known(facts, "rms_eps", RMS_EPS),
            "scale_clamp": _known(facts, "clamp", (math.inf, math.inf), least=LEAST),
        }

    def each(self, facts: Mapping[str, Fact]) -> float:
        ranges = self.ranges(facts)
        eps = ranges["rms_eps"][0]
        return min(ranges["target_rms"][1] / eps if eps else math.inf, ranges["scale_clamp"][1])

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        return chain.strength * unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        numbers = chain.numbers
        return rms_rescale(x, numbers["target_rms"], numbers["rms_eps"], numbers["scale_clamp"])

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        return (chain.numbers["target_rms"] / gain - chain.numbers["rms_eps"]).clamp(min=LEAST)

    def collapse(self, facts: Mapping[str, Fact]) -> float:
        return self.ranges(facts)["target_rms"][1] / self.needed(facts)


class AttentionSoftmax(Amplifier):
    """The softmax over attention logits of any size, as torch computes it: it subtracts the maximum first."""

    name = "attention_softmax"
    title = "softmax of attention logits"
    unit = "attention layer"
    formula = "a softmax, whose Jacobian has a norm of at most 1/2 at any logits,"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:  # noqa: ARG002 - the log fixes none of them
        return {"logit_scale": LOGIT_SCALE, "logit_clip": (math.inf, math.inf)}

    def each(self, facts: Mapping[str, Fact]) -> float:  # noqa: ARG002 - a law
        return 0.5

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        return chain.numbers["logit_scale"] * unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        clip = chain.numbers["logit_clip"]
        return x.clamp(-clip, clip).softmax(-1)

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:  # noqa: ARG002 - there is nothing to solve
        return torch.ones_like(gain)

    def needs(self, facts: Mapping[str, Fact]) -> str:
        around = shown(2 * self.needed(facts))
        return (
            f"{super().needs(facts)}; finite logits do not overflow it, so |K| |V| / sqrt(d) and the weights "
            f"around it would have to supply {around} a layer"
        )


class ResidualAddition(Amplifier):
    """f(x) + w x in a row, where f itself amplifies nothing: what the addition alone can do."""

    name = "residual_addition"
    title = "residual addition"
    unit = "stage"
    formula = "1 + w, for an f of gain 1,"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        return {"residual_weight": _known(facts, "residual_weight", (1.0, 1.0)), "alignment": (1e-3, 1.0)}

    def each(self, facts: Mapping[str, Fact]) -> float:
        return residual_bound(1.0, self.ranges(facts)["residual_weight"][1], 1)

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:  # noqa: ARG002 - linear: any input has the same gain
        return unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        # Between a shift of the entries and the identity, both of norm 1, so that their mixture has at most 1.
        identity = torch.eye(WIDTH, dtype=x.dtype, device=x.device)
        turned = identity.roll(1, 0)
        aligned = chain.numbers["alignment"].unsqueeze(-1)
        matrix = chain.strength.unsqueeze(-1) * (aligned * identity + (1 - aligned) * turned)
        return residual_stage(x, matrix, chain.numbers["residual_weight"])

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        return (gain - chain.numbers["residual_weight"]).clamp(0, 1)


def _known(facts: Mapping[str, Fact], key: str, prior: Range, *, least: float = 0.0) -> Range:
    value = number(facts, key, least=least)
    return prior if value is None else (value, value)


def _weight(facts: Mapping[str, Fact]) -> float:
    return number(facts, "weight", least=LEAST) or 1.0
