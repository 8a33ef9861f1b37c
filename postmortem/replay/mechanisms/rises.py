"""What makes a loss rise again: a step that is too long, for good or at first, and data that have changed."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.mechanisms.courses import LONGEST, NEEDED, Courses, Seen, miss, shape, smooth
from postmortem.replay.stream import Stream
from postmortem.replay.values import amount, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value

#: Courses of a pool, of which the one nearest to the log is replayed.
POOLED: Final = 4
#: What is left of the loss in the usual directions where it was lowest.
LEFT: Final = (1e-4, 0.5)
#: By what the loss grows in the steep direction from first to last.
GROWTH: Final = (10.0, 1e14)
#: What noise adds to that direction at an update, as a part of what it began with: it never dies out.
KICKS: Final = (0.003, 0.3)
MOMENTA: Final = {"SGD": 0.0, "momentum 0.9": 0.9}
HALVINGS: Final = 24


class Course(Mechanism[Courses]):
    """Courses whose free size is solved, so that the loss rises by as much as the log shows."""

    dtype = "float64"
    ends: ClassVar[tuple[float, float]]  # between which the size is solved

    @abstractmethod
    def shaped(self, blank: Courses, stream: Stream) -> Courses:
        """`blank` courses, which only learn, with what makes the loss rise; its size is solved later."""

    @abstractmethod
    def sized(self, courses: Courses, size: Tensor) -> Courses:
        """`courses` with a size (n,) of what makes the loss rise, in which the loss is quadratic."""

    def momentum(self) -> float:
        """Of the optimizer: none, where it does not matter."""
        return MOMENTA.get(self.family or "", 0.0)

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Courses:
        """Of a pool, the courses nearest to the log."""
        seen = Seen.of(facts)
        if seen is None:
            raise PostmortemError(NEEDED)
        pool = self._pool(seen, lab, stream)
        return pool.take(miss(shape(*pool.run(), seen), pool.seen).argsort(stable=True)[: lab.draws])

    def observe(self, scenario: Courses, knobs: Mapping[str, Value]) -> Observed:
        """How far the loss falls, and its rise from its lowest to its end, over that fall."""
        seen = scenario.seen
        rate = amount("lr", knobs["lr"]) / scenario.lr if "lr" in knobs else 1.0
        warmup = None
        if "warmup" in knobs:
            warmup = min(amount("warmup", knobs["warmup"]) * seen.per_update, LONGEST)
        return shape(*scenario.run(rate, warmup), seen)

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where rise, place of the minimum, and, as far as they are logged, middle and norms are those of the log."""
        seen = Seen.of(facts)
        rise = observed["rise"]
        return torch.zeros_like(rise, dtype=torch.bool) if seen is None else miss(observed, seen) <= 1

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """A search over the whole prior, where it finds no course at all."""
        seen = Seen.of(facts)
        if seen is None:
            return None
        pool = self._pool(seen, lab, Stream(lab.seed, lab.device))
        missed = miss(shape(*pool.run(), seen), seen)
        if bool((missed <= 1).any()):
            return None
        norms = "" if seen.norms is None else f", with {shown(seen.norms)} times the gradient norm"
        return Ceiling(
            float(missed.min()),
            f"of {len(missed):,} courses none is lowest {seen.place:.0%} of the way and then rises "
            f"{shown(seen.rise)} times what it had fallen{norms}",
        )

    def _pool(self, seen: Seen, lab: Lab, stream: Stream) -> Courses:
        n = POOLED * lab.draws
        one = torch.ones(n, dtype=torch.float64, device=stream.device)
        lowest = max(seen.place * seen.updates, 1.0)
        usual = (1 - stream.between(*LEFT, (n,)).double() ** (1 / (2 * lowest))) * (1 - self.momentum())
        noise, kicks = stream.normal((2, seen.updates, n)).double()
        # the standard deviation of 1/2 usual x^2, with x in the stationary spread of descent with momentum
        momentum = self.momentum() * one
        stationary = (1 + momentum) / (usual * (1 - momentum) * (2 * (1 + momentum) - usual))
        blank = Courses(
            usual=usual,
            steep=torch.stack([one, one]),
            falls_in=one,
            amplitude=0 * one,
            kicks=kicks * stream.between(*KICKS, (n,)),
            drift=0 * one,
            harder=0 * one,
            ramp=one,
            momentum=momentum,
            noise=noise,
            noisy=(seen.noise * math.sqrt(2) / (usual * stationary)).sqrt(),
            lr=stream.between(*seen.lr, (n,)).double(),
            seen=seen,
        )
        return self._solved(self.shaped(blank, stream))

    def _solved(self, courses: Courses) -> Courses:
        """The size at which the loss rises by as much as the log shows: it rises with the size."""
        silent = replace(courses, noisy=0 * courses.noisy)
        # the loss is quadratic in the size: three courses give all
        none, one, minus = (
            smooth(self.sized(silent, torch.full_like(courses.usual, size)).run()[0], courses.seen)
            for size in (0.0, 1.0, -1.0)
        )
        linear, square = (one - minus) / 2, (one + minus) / 2 - none
        low, high = (torch.full_like(courses.usual, math.log(end)) for end in self.ends)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            size = middle.exp()
            loss = none + size * (linear + size * square)
            lowest = loss.amin(0)
            less = loss[-1] - lowest < courses.seen.rise * (loss[0] - lowest)
            low, high = torch.where(less, middle, low), torch.where(less, high, middle)
        return self.sized(courses, high.exp())


class SteepDirection(Course):
    """A direction whose curvature is beyond the edge at the full rate, and stays there."""

    name = "steep_direction"
    title = "a curvature beyond the edge of stability"
    ends = (1e-8, 1.0)

    def __init__(self, optimizer: str) -> None:
        self.family = optimizer

    def shaped(self, blank: Courses, stream: Stream) -> Courses:
        """With the curvature at which the loss of that direction grows as drawn."""
        # x grows by g an update where the larger root of r^2 + (curvature - 1 - m) r + m is -g
        growth = stream.between(*GROWTH, tuple(blank.usual.shape)).double() ** (1 / (2 * blank.seen.updates))
        curvature = (growth + 1) * (growth + blank.momentum) / growth
        return replace(blank, steep=torch.stack([curvature, curvature]))

    def sized(self, courses: Courses, size: Tensor) -> Courses:
        """How large the loss in that direction is at first."""
        return replace(courses, amplitude=size)


class FallingCurvature(SteepDirection):
    """A direction whose curvature is beyond the edge at first, and falls below it as training goes."""

    name = "falling_curvature"
    title = "a curvature that is beyond the edge at first"

    def shaped(self, blank: Courses, stream: Stream) -> Courses:
        """From up to four times the edge to below it, soon or only long after the log ends."""
        shape = tuple(blank.usual.shape)
        first, last = stream.between(1.05, 4.0, shape).double(), stream.between(0.05, 0.95, shape).double()
        return replace(
            blank,
            steep=blank.edge * torch.stack([first, last]),
            falls_in=blank.seen.updates * stream.between(0.02, 3.0, shape).double(),
        )


class HarderData(Course):
    """Data on which the loss is higher whatever the weights."""

    name = "other_data"
    title = "data that have changed"
    family = "harder"
    ends = (1e-6, 1e8)

    def shaped(self, blank: Courses, stream: Stream) -> Courses:
        """All at once, or up to the end of the log."""
        rest = max((1 - blank.seen.place) * blank.seen.updates, 1.0)
        return replace(blank, ramp=rest * stream.between(0.01, 1.0, tuple(blank.usual.shape)).double())

    def sized(self, courses: Courses, size: Tensor) -> Courses:
        """By how much the floor rises."""
        return replace(courses, harder=size)


class DriftingData(Course):
    """Data whose minimum moves away at an even speed, so that the weights lag behind it."""

    name = "other_data"
    title = "data that have changed"
    family = "drifting"
    ends = (1e-6, 1e6)

    def shaped(self, blank: Courses, stream: Stream) -> Courses:  # noqa: ARG002 - the speed is all there is
        """With a speed that is solved."""
        return blank

    def sized(self, courses: Courses, size: Tensor) -> Courses:
        """How fast the minimum moves."""
        return replace(courses, drift=size)
