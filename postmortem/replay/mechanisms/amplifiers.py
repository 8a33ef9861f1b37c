"""The operations that are suspected of amplifying gradients, and the bound of each."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

import torch

from postmortem.replay.mechanisms.gains import LEAST, WIDTH, Amplifier, Range, known
from postmortem.replay.reference.residual_gain import residual_bound, residual_stage
from postmortem.replay.reference.rms_rescale import rms_rescale
from postmortem.replay.reference.standardise import standardise
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanisms.gains import Chain
    from postmortem.replay.protocol import Fact
    from postmortem.replay.reference.standardise import Place

NORMS_A_STAGE: Final = (1, 4)
EPS: Final[Range] = (1e-12, 1e-5)
RMS_EPS: Final[Range] = (1e-8, 1e-8)
TARGET_RMS: Final[Range] = (0.1, 10.0)
LOGIT_SCALE: Final[Range] = (1e-2, 1e5)


class Collapsed(Amplifier):
    """An operation that divides by a statistic of its input: it amplifies only where that is small."""

    collapsed: ClassVar[tuple[str, str]]  # that statistic: the metric, and in words

    @abstractmethod
    def collapse(self, facts: Mapping[str, Fact]) -> float:
        """How small the least such statistic has to be for the logged norm."""

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        """Vectors whose RMS has collapsed to the strength."""
        return chain.strength * unit


class CollapsedLayerNorm(Collapsed):
    """Norms whose input has lost its variance: only eps is left in the divisor."""

    name = "layer_norm"
    title = "layer norms of collapsed variance"
    unit = "norm"
    collapsed = ("norm_input_std", "std of a vector that enters a norm")

    def __init__(self, place: Place) -> None:
        self.place: Place = place
        self.family = f"eps {place} the root"
        self.formula = "max|w| / sqrt(eps)" if place == "inside" else "max|w| / eps"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        """The eps and the largest weight."""
        return {"eps": known(facts, "eps", EPS), "weight": (_weight(facts),) * 2}

    def each(self, facts: Mapping[str, Fact]) -> float:
        """By the smallest eps: with no variance left it is all of the divisor."""
        eps = self.ranges(facts)["eps"][0]
        smallest = math.sqrt(eps) if self.place == "inside" else eps
        return _weight(facts) / smallest if smallest else math.inf

    def counts(self, facts: Mapping[str, Fact]) -> tuple[int, int]:
        """Stages times norms a stage."""
        fewest, most = super().counts(facts)
        return fewest * NORMS_A_STAGE[0], most * NORMS_A_STAGE[1]

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        """Standardised and weighted."""
        return chain.numbers["weight"] * standardise(x, chain.numbers["eps"], place=self.place)

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        """The std that leaves a divisor of |w| / gain."""
        divisor, eps = chain.numbers["weight"] / gain, chain.numbers["eps"]
        std = (divisor.square() - eps).clamp(min=0).sqrt() if self.place == "inside" else divisor - eps
        return std.clamp(min=LEAST)

    def collapse(self, facts: Mapping[str, Fact]) -> float:
        """A gain of g takes a std of at most |w| / g."""
        return _weight(facts) / self.needed(facts)


class CollapsedRms(Collapsed):
    """Rescaling to a target RMS of what has almost none."""

    name = "rms_rescale"
    title = "rescaling by a near-zero RMS"
    unit = "stage"
    formula = "target_rms / rms_eps, or its clamp,"
    collapsed = ("output_rms", "output RMS before it is rescaled")

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        """The target, the eps beside the RMS, and a clamp of the factor."""
        return {
            "target_rms": known(facts, "target_rms", TARGET_RMS, least=LEAST),
            "rms_eps": known(facts, "rms_eps", RMS_EPS),
            "scale_clamp": known(facts, "clamp", (math.inf, math.inf), least=LEAST),
        }

    def each(self, facts: Mapping[str, Fact]) -> float:
        """The largest target by the smallest eps, or the clamp."""
        ranges = self.ranges(facts)
        eps = ranges["rms_eps"][0]
        return min(ranges["target_rms"][1] / eps if eps else math.inf, ranges["scale_clamp"][1])

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        """Rescaled to the target."""
        numbers = chain.numbers
        return rms_rescale(x, numbers["target_rms"], numbers["rms_eps"], numbers["scale_clamp"])

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        """The RMS that leaves a factor of `gain`."""
        return (chain.numbers["target_rms"] / gain - chain.numbers["rms_eps"]).clamp(min=LEAST)

    def collapse(self, facts: Mapping[str, Fact]) -> float:
        """A gain of g takes an RMS of at most target / g."""
        return self.ranges(facts)["target_rms"][1] / self.needed(facts)


class AttentionSoftmax(Amplifier):
    """The softmax over attention logits of any size, as torch computes it: it subtracts the maximum first."""

    name = "attention_softmax"
    title = "softmax of attention logits"
    unit = "attention layer"
    formula = "the Jacobian of a softmax at any logits"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:  # noqa: ARG002 - the log fixes none of them
        """The size of the logits, and a clip of them."""
        return {"logit_scale": LOGIT_SCALE, "logit_clip": (math.inf, math.inf)}

    def each(self, facts: Mapping[str, Fact]) -> float:  # noqa: ARG002 - a law
        """The Jacobian is diag(p) - p p^T: its norm is 1/2 where two entries share all weight, else less."""
        return 0.5

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:
        """Logits from uniform to one-hot."""
        return chain.numbers["logit_scale"] * unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        """Clipped, and torch's softmax."""
        clip = chain.numbers["logit_clip"]
        return x.clamp(-clip, clip).softmax(-1)

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:  # noqa: ARG002 - there is nothing to solve
        """Nothing to solve: every size of logits is among the scenarios."""
        return torch.ones_like(gain)

    def needs(self, facts: Mapping[str, Fact]) -> str:
        """As for all, and what the factors around the softmax would have to give."""
        around = shown(2 * self.needed(facts))
        return (
            f"{super().needs(facts)}; finite logits do not overflow it: |K| |V| / sqrt(d) and the weights around "
            f"it would have to give {around} a layer"
        )


class ResidualAddition(Amplifier):
    """f(x) + w x in a row, where f itself amplifies nothing: what the addition alone can do."""

    name = "residual_addition"
    title = "residual addition"
    unit = "stage"
    formula = "1 + w with an f of gain 1"

    def ranges(self, facts: Mapping[str, Fact]) -> dict[str, Range]:
        """The weight of the residual, and how far f pulls along with it."""
        return {"residual_weight": known(facts, "residual_weight", (1.0, 1.0)), "alignment": (1e-3, 1.0)}

    def each(self, facts: Mapping[str, Fact]) -> float:
        """The bound of one stage."""
        return residual_bound(1.0, self.ranges(facts)["residual_weight"][1], 1)

    def inputs(self, unit: Tensor, chain: Chain) -> Tensor:  # noqa: ARG002 - linear: any input has the same gain
        """Any: a linear stage has one gain."""
        return unit

    def apply(self, x: Tensor, chain: Chain) -> Tensor:
        """One stage, its f between a shift of the entries and the identity."""
        # Both ends have norm 1, so that their mixture has at most 1.
        identity = torch.eye(WIDTH, dtype=x.dtype, device=x.device)
        turned = identity.roll(1, 0)
        aligned = chain.numbers["alignment"].unsqueeze(-1)
        matrix = chain.strength.unsqueeze(-1) * (aligned * identity + (1 - aligned) * turned)
        return residual_stage(x, matrix, chain.numbers["residual_weight"])

    def strength(self, gain: Tensor, chain: Chain) -> Tensor:
        """The norm of f, 1 at most."""
        return (gain - chain.numbers["residual_weight"]).clamp(0, 1)


def _weight(facts: Mapping[str, Fact]) -> float:
    return number(facts, "weight", least=LEAST) or 1.0
