"""Normalisers, sound and unsound: how each comes to show a large output."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.standardise import standardise
from postmortem.replay.values import amount, dtype_named, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.reference.standardise import Place
    from postmortem.replay.stream import Stream

WIDTHS: Final = tuple(2**k for k in range(5, 13))
EPS: Final = (1e-8, 1e-5)
#: Printed extremes are rounded to a few digits or to 8 bits; 16 bits overshoot the bound by 1 %.
TOLERANCE: Final = 0.02
#: Entries simulated for one scenario: enough for 8 narrow vectors, or for one of the widest.
ENTRIES: Final = 4096


@dataclass(frozen=True, slots=True)
class Setup:
    """The finding's values; where the log gives none, the default or the ends of the prior."""

    value: float
    widths: tuple[int, ...]
    eps: tuple[float, float]
    places: tuple[Place, ...]
    weight: float
    bias: float
    residual: float

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Self:
        """Read from an experiment's facts. `value` is 0 where the log shows none that is finite."""
        width, eps, place = number(facts, "width", least=2), number(facts, "eps"), facts.get("eps_place")
        weight, bias, residual = (number(facts, key) for key in ("weight", "bias", "residual"))
        places: tuple[Place, ...] = ("inside", "outside")
        return cls(
            value=number(facts, "value") or 0.0,
            widths=WIDTHS if width is None else (int(width),),
            eps=EPS if eps is None else (eps, eps),
            places=tuple(known for known in places if known == place) or places,
            weight=1.0 if weight is None else weight,
            bias=0.0 if bias is None else bias,
            residual=1.0 if residual is None else residual,
        )

    @property
    def widest(self) -> int:
        """The largest width that the log or the prior allows."""
        return max(self.widths)

    def bound(self, width: int | None = None) -> float:
        """The largest |output| over `width` values, or over the widest: |w| sqrt(n - 1) + |b| + |residual|."""
        return self.weight * math.sqrt((width or self.widest) - 1) + self.bias + self.residual

    def width_needed(self) -> float:
        """The width from which on the logged value is within the bound."""
        score = self.weight_needed(2) / self.weight if self.weight else math.inf
        return score * score + 1

    def weight_needed(self, width: int) -> float:
        """The weight from which on the logged value is within the bound of `width` values."""
        return max(self.value - self.bias - self.residual, 0.0) / math.sqrt(width - 1)

    def limits(self) -> dict[str, str]:
        """What multiplies the z-scores and is added to them at most, by fact."""
        return {
            "weight": f"|w| <= {self.weight:g}",
            "bias": f"|b| <= {self.bias:g}" if self.bias else "b = 0",
            "residual": f"|residual| <= {self.residual:g}" if self.residual else "no residual",
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """Scenarios (b) that share the width n and the place of eps, each of v vectors."""

    place: Place
    x: Tensor  # (b, v, n), to be normalised
    by: Tensor | None  # (b, v, n), what is divided by where that is neither a std nor x
    eps: Tensor  # (b, 1, 1)
    offset: Tensor  # (b, v, n), bias and residual
    weight: Tensor  # (b, 1, 1)
    bound: float


class Normaliser(Mechanism[list[Batch]]):
    """Draws batches of vectors and solves the scale of each scenario, so that the logged extreme is shown."""

    dtype: ClassVar[str] = "float32"

    @abstractmethod
    def _solved(self, batch: Batch, value: float, stream: Stream) -> Batch:
        """`batch`, whose x holds standard normal entries, with an x whose largest |output| is `value`."""

    def _normalised(self, batch: Batch, eps: Tensor, dtype: torch.dtype) -> Tensor:
        """The normaliser itself, before weight, bias and residual: (b, v, n)."""
        return standardise(batch.x.to(dtype), eps, place=batch.place)

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> list[Batch]:
        """One batch per width and place of eps, of `lab.draws` scenarios in all (rounded up)."""
        setup = Setup.of(facts)
        groups = [(width, place) for width in setup.widths for place in setup.places]
        draws = math.ceil(lab.draws / len(groups))
        batches = []
        for width, place in groups:
            n = min(width, ENTRIES)
            shape = (draws, max(1, min(8, ENTRIES // n)), n)
            residual = 2 * stream.uniform(shape) - 1
            residual[..., 0] = 1  # where a spike is, if there is one: the worst case is among the scenarios
            largest = setup.residual * (2 * stream.uniform((draws, 1, 1))).clamp(max=1)
            batch = Batch(
                place=place,
                x=stream.normal(shape),
                by=None,
                eps=stream.between(*setup.eps, (draws, 1, 1)),
                offset=setup.bias + largest * residual,
                # one beyond float32 is inf there, as bias and residual are, and not refused
                weight=torch.full((draws, 1, 1), setup.weight, dtype=torch.float64, device=stream.device).float(),
                bound=setup.bound(width),
            )
            batches.append(self._solved(batch, setup.value, stream))
        return batches

    def observe(self, scenario: list[Batch], knobs: Mapping[str, Value]) -> Observed:
        """`largest` |output| and its `bound`, with the knobs `eps` and `dtype` (of the statistics)."""
        dtype = dtype_named(knobs.get("dtype", self.dtype))
        bounds = [torch.full((len(batch.x),), batch.bound, dtype=torch.float64) for batch in scenario]
        largest = torch.cat([self._largest(batch, knobs, dtype) for batch in scenario])
        return {"largest": largest, "bound": torch.cat(bounds).to(largest.device)}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the largest |output| is the logged one within 2 %."""
        return (observed["largest"] / Setup.of(facts).value - 1).abs() <= TOLERANCE

    def _largest(self, batch: Batch, knobs: Mapping[str, Value], dtype: torch.dtype) -> Tensor:
        eps = torch.full_like(batch.eps, amount("eps", knobs["eps"])) if "eps" in knobs else batch.eps
        normalised = self._normalised(batch, eps, dtype)
        return (batch.weight * normalised.float() + batch.offset).abs().amax((1, 2)).double()


class HonestSmallStd(Normaliser):
    """Any shape from Gaussian to a single spike, scaled to whatever std shows the value: none is too small."""

    name = "honest_small_std"
    title = "honest std, as small as you like"

    def _solved(self, batch: Batch, value: float, stream: Stream) -> Batch:
        spike = torch.zeros_like(batch.x)
        spike[..., 0] = math.sqrt(batch.x.shape[-1])
        rest = stream.uniform((len(batch.x), 1, 1)).square()
        z = standardise(rest * batch.x + (1 - rest) * spike, 0.0)
        # eps leaves the part std / (std + eps) of a z-score, or std / sqrt(std^2 + eps) inside the root.
        left = _crossing(batch.weight * z, batch.offset, value).clamp(max=1 - 1e-6)
        if batch.place == "inside":
            return replace(batch, x=batch.eps.sqrt() * left / (1 - left.square()).sqrt() * z)
        return replace(batch, x=batch.eps * left / (1 - left) * z)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """Samuelson's inequality over the widest vector that the log or the prior allows."""
        setup = Setup.of(facts)
        if setup.value <= (1 + TOLERANCE) * setup.bound():
            return None
        return Ceiling(
            setup.bound(),
            f"{setup.bound():,.3g} at most, for any eps and at any scale of the input: a z-score over "
            f"{setup.widest} values is at most sqrt({setup.widest - 1}) = {math.sqrt(setup.widest - 1):,.3g} "
            f"(Samuelson's inequality), with "
            f"{', '.join(setup.limits().values())}; {shown(setup.value)} would need "
            f"{setup.width_needed():.2g} values",
        )


class LostVariance(Normaliser):
    """E[x^2] - E[x]^2 of vectors whose mean is large against their spread, rounded in the tensor's dtype."""

    name = "lost_variance"
    title = "variance lost in E[x^2] - E[x]^2"

    def _normalised(self, batch: Batch, eps: Tensor, dtype: torch.dtype) -> Tensor:
        stored = batch.x.to(dtype_named(self.dtype))
        return standardise(stored.to(dtype), eps, place=batch.place, how="moments")

    def _solved(self, batch: Batch, value: float, stream: Stream) -> Batch:
        dtype = dtype_named(self.dtype)
        bits = 1 - math.log2(torch.finfo(dtype).eps)
        shape = batch.x + stream.between(2 ** (bits / 2 - 1), 2 ** (bits + 1), (*batch.x.shape[:2], 1))
        # With the variance lost only eps is left to divide by, and the output is proportional to the scale
        # but for the steps of the dtype: the scale is made half too large, and the weight takes up the rest.
        scale = value / 3 * (batch.eps.sqrt() if batch.place == "inside" else batch.eps)
        left = torch.ones_like(scale)
        for _ in range(3):
            scale = scale * (1.5 * left).clamp(1e-3, 1e3)
            batch = replace(batch, x=scale * shape)
            normalised = self._normalised(batch, batch.eps, dtype).float()
            left = _crossing(batch.weight * normalised, batch.offset, value)
        return replace(batch, weight=batch.weight * left.clamp(max=1))

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The largest number of the dtype."""
        largest = torch.finfo(dtype_named(self.dtype)).max
        if Setup.of(facts).value <= largest:
            return None
        return Ceiling(largest, f"{shown(largest)} at most: no {self.dtype} is larger")


class LostInBfloat16(LostVariance):
    """As bfloat16 loses it: from a mean of some 16 standard deviations on."""

    dtype = "bfloat16"
    family = "bfloat16"


class LostInFloat16(LostVariance):
    """As float16 loses it: from a mean of some 45 standard deviations on, and squares overflow beyond 256."""

    dtype = "float16"
    family = "float16"


class LostInFloat32(LostVariance):
    """As float32 loses it: from a mean of some 4,000 standard deviations on."""

    dtype = "float32"
    family = "float32"


class OtherDivisor(Normaliser):
    """Divided entry by entry by a tensor that is no std, so that the divisor may pass near 0."""

    name = "other_divisor"
    title = "divided by a tensor that is not its std"

    def __init__(self, family: Literal["another tensor", "its own input"]) -> None:
        self.family = family

    def _normalised(self, batch: Batch, eps: Tensor, dtype: torch.dtype) -> Tensor:
        x, eps = batch.x.to(dtype), eps.to(dtype)
        by = x if batch.by is None else batch.by.to(dtype)
        divisor = (by.square() + eps).sqrt() if batch.place == "inside" else by + eps
        return (x - x.mean(-1, keepdim=True)) / divisor

    def _solved(self, batch: Batch, value: float, stream: Stream) -> Batch:
        size = stream.between(1e-2, 1e2, (len(batch.x), 1, 1))
        if self.family == "its own input":
            return self._near_pole(batch, size, value)
        by = size * stream.normal(batch.x.shape)
        batch = replace(batch, by=by)
        slope = batch.weight * self._normalised(batch, batch.eps, torch.float32)
        return replace(batch, x=_crossing(slope, batch.offset, value) * batch.x)

    def _near_pole(self, batch: Batch, size: Tensor, value: float) -> Batch:
        """Vectors whose mean puts one entry near the pole of (x - mean) / (x + eps): any, or else the lowest."""
        z = batch.x.double()
        z = z - z.mean(-1, keepdim=True)
        lowest = z.flatten(1).argmin(1)
        anyone = _shifted(batch, z, torch.zeros_like(lowest), size, value)
        edge = _shifted(batch, z, lowest, size, value)
        missed = (self._largest(anyone, {}, torch.float32) / value - 1).abs() > TOLERANCE
        return replace(batch, x=edge.x.where(missed.view(-1, 1, 1), anyone.x))


def _shifted(batch: Batch, z: Tensor, near: Tensor, size: Tensor, value: float) -> Batch:
    """`batch` of spread `size` with the entry `near` (b,) so close to the pole that it comes out as `value`."""
    at = near.view(-1, 1)
    score, offset = (t.flatten(1).gather(1, at).unsqueeze(-1) for t in (z, batch.offset))
    per_size = batch.weight * score.abs() / (value - score.sign() * offset)
    if batch.place == "inside":
        # No divisor is below sqrt(eps): the spread has to be large enough for the value.
        size = size.fmax(1.5 * batch.eps.sqrt() / per_size)
        pole = ((size * per_size).square() - batch.eps).sqrt()
    else:
        pole = size * per_size - batch.eps
    # Shifted by the entry itself, which leaves it the pole exactly: in float32 a mean would round it away.
    return replace(batch, x=(pole + size * (z - score)).float())


def _crossing(slope: Tensor, offset: Tensor, value: float) -> Tensor:
    """The least s > 0 at which max |s * slope + offset| over (v, n) is `value`: (b, v, n) to (b, 1, 1)."""
    roots = torch.stack([(value - offset) / slope, (-value - offset) / slope])
    return roots.where(roots > 0, math.inf).amin((0, 2, 3)).view(-1, 1, 1)
