"""Residual stages whose output is far smaller than their input: what shrinks it, and by how much at most."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.residual_gain import residual_stage
from postmortem.replay.reference.rms_rescale import rms_rescale
from postmortem.replay.values import amount, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

#: Entries of a vector; no ratio of RMS values depends on their number.
WIDTH: Final = 16
#: Stages in a row that are simulated; the fall of more is shared among these.
MOST_STAGES: Final = 8
RMS_EPS: Final = 1e-8
#: A ratio of RMS values is shown when it is this close: two printed digits.
MET: Final = 0.05
LEAST: Final = 1e-30
NEEDED: Final = "needs the RMS of a stage's input and of its output, both above 0"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log shows, in units of the input's RMS."""

    ratio: float  # RMS of the output
    target: float  # RMS that it is rescaled to
    unit: float  # one, as the log counts
    eps: float
    weight: float | None  # of the residual
    stages: int

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Self | None:
        """From the facts; None without two RMS values above 0."""
        before, after, target = (number(facts, key, least=LEAST) for key in ("input_rms", "output_rms", "target_rms"))
        weight, stages, eps = (number(facts, key) for key in ("residual_weight", "stages", "rms_eps"))
        if before is None or after is None or not 0 < after / before < math.inf:
            return None
        return cls(
            ratio=after / before,
            target=1.0 if target is None else target / before,
            unit=1 / before,
            eps=(RMS_EPS if eps is None else eps) / before,
            weight=weight,
            stages=int(min(max(stages or 1.0, 1.0), MOST_STAGES)),
        )

    @property
    def each(self) -> float:
        """By what a stage multiplies the RMS."""
        return float(self.ratio ** (1 / self.stages))


@dataclass(frozen=True, slots=True)
class Stages:
    """n inputs of RMS 1 before equal stages: projection * (f(x) + weight * x)."""

    x: Tensor  # (n, WIDTH)
    branch: Tensor  # (n, WIDTH, WIDTH), the linear f
    weight: Tensor  # (n, 1) of the residual
    projection: Tensor  # (n, 1)
    seen: Seen


class Residual(Mechanism[Stages]):
    """Stages whose parts are solved, so that the output has the logged RMS."""

    dtype = "float64"

    @abstractmethod
    def parts(self, seen: Seen, weight: Tensor, lot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How far f reaches along its input and at a right angle to it, and the projection; lots are 0 to 1: (n, 1)."""

    def weight(self, seen: Seen) -> float:
        """The largest weight of the residual where the log gives none."""
        return 1.0 if seen.weight is None else seen.weight

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Stages:
        """Inputs of RMS 1, and stages with the weight of the log, or any up to the largest."""
        seen, n = self.seen(facts), lab.draws
        x = stream.normal((n, WIDTH)).double()
        least = 0.01 * self.weight(seen) if seen.weight is None else self.weight(seen)
        weight = stream.between(least, self.weight(seen), (n, 1)).double()
        along, aside, projection = self.parts(seen, weight, stream.uniform((n, 1)).double())
        # a half turn of pairs of entries is at a right angle to every input
        identity = torch.eye(WIDTH, dtype=torch.float64, device=x.device)
        signs = torch.where(torch.arange(WIDTH, device=x.device) < WIDTH // 2, -1.0, 1.0)
        turn = identity.roll(WIDTH // 2, 0) * signs
        return Stages(
            x=x / x.square().mean(-1, keepdim=True).sqrt(),
            branch=along.unsqueeze(-1) * identity + aside.unsqueeze(-1) * turn,
            weight=weight,
            projection=projection,
            seen=seen,
        )

    def observe(self, scenario: Stages, knobs: Mapping[str, Value]) -> Observed:
        """The RMS `ratio` of output to input, the `scale` that rescales it, and how far its target is `met`."""
        seen, weight = scenario.seen, scenario.weight
        if "residual_weight" in knobs:
            weight = torch.full_like(weight, amount("residual_weight", knobs["residual_weight"]))
        eps, clamp = (amount(knob, knobs[knob]) if knob in knobs else None for knob in ("rms_eps", "scale_clamp"))
        y = scenario.x
        for _ in range(seen.stages):
            y = scenario.projection * residual_stage(y, scenario.branch, weight)
        rescaled = rms_rescale(y, seen.target, seen.eps if eps is None else eps * seen.unit, clamp)
        ratio, met = (one.square().mean(-1).sqrt() for one in (y, rescaled))
        return {"ratio": ratio, "scale": met / ratio, "met": met / seen.target}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the output has the logged RMS within 5 %."""
        return (observed["ratio"] / self.seen(facts).ratio - 1).abs() <= MET

    def seen(self, facts: Mapping[str, Fact]) -> Seen:
        """What the log shows. PostmortemError without two RMS values."""
        seen = Seen.of(facts)
        if seen is None:
            raise PostmortemError(NEEDED)
        return seen


class WeakStages(Residual):
    """A residual of small weight beside an f that adds at a right angle to it, and little."""

    name = "weak_stages"
    title = "a residual of small weight"

    def weight(self, seen: Seen) -> float:
        """No more than the fall allows."""
        return min(1.0, seen.each) if seen.weight is None else seen.weight

    def parts(self, seen: Seen, weight: Tensor, lot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both add as the sides of a right angle: what f adds is what the residual leaves."""
        aside = (seen.each * seen.each - weight.square()).clamp(min=0).sqrt()
        return torch.zeros_like(lot), aside, torch.ones_like(lot)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The residual alone, where it is larger than what is logged."""
        seen = self.seen(facts)
        if seen.weight is None or seen.weight * (1 - MET) <= seen.each:
            return None
        least = math.prod([seen.weight] * seen.stages)
        return Ceiling(
            least,
            f"the residual alone leaves {seen.weight:g} of the RMS a stage, {shown(least)} in all, where "
            f"{shown(seen.ratio)} is logged: f has to take away, not only to add little",
        )


class Cancelling(Residual):
    """An f that points against the residual."""

    name = "cancelling"
    title = "an f that cancels the residual"

    def parts(self, seen: Seen, weight: Tensor, lot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All but what is left of the residual, in any direction."""
        angle = math.pi * lot
        return seen.each * angle.cos() - weight, seen.each * angle.sin(), torch.ones_like(lot)


class ShrunkProjection(Residual):
    """A projection behind the residual whose weights have shrunk."""

    name = "shrunk_projection"
    title = "a projection that has shrunk behind the residual"

    def parts(self, seen: Seen, weight: Tensor, lot: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The projection, behind an f at a right angle that is 0.1 to 10 times the residual."""
        aside = weight.clamp(min=LEAST) * 100**lot / 10
        return torch.zeros_like(lot), aside, seen.each / (weight.square() + aside.square()).sqrt()
