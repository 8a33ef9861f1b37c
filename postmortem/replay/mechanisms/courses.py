"""Losses that fall and then rise, on a quadratic: a step that is too long, and data that have changed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import torch

from postmortem.replay.reference.quadratic_descent import descend, warmed_up
from postmortem.replay.values import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact

#: Updates that are simulated; of a longer run each stands for several.
UPDATES: Final = 64
#: A warm-up of more updates than this is simulated at this length.
LONGEST: Final = 4 * UPDATES
#: A loss that stops being finite has risen by this many times what it had fallen.
BLOWN_UP: Final = 1e6
#: How close a course is: its rise, as a ratio; the place of its minimum and of its middle, as a share.
RISE: Final = 0.25
PLACE: Final = 0.15
NORMS: Final = 2.0
LR: Final = (1e-6, 1.0)
#: A learning rate or a norm below this is none.
SMALLEST: Final = 1e-30
NEEDED: Final = "needs a loss that falls and then rises: its start, its minimum, its end, and their steps"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log shows of a loss: in units of its fall from `start` to `low`, and of its course to `last_step`."""

    rise: float
    place: float  # of the minimum, 0 to 1
    middle: float | None  # the share of the rise that is done half-way behind the minimum
    norms: float | None  # gradient norm at the end over that at the minimum
    noise: float
    updates: int
    per_update: float  # simulated ones for each of the run's
    warmup: float  # in simulated updates
    lr: tuple[float, float]

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Self | None:
        """Read from the facts; None where they do not show a loss that falls and then rises."""
        start, low, end, step, last = (facts.get(key) for key in ("start", "low", "end", "step", "last_step"))
        numbers = [one for one in (start, low, step, last) if isinstance(one, int | float) and math.isfinite(one)]
        if len(numbers) < 4 or isinstance(end, str | bool):  # noqa: PLR2004 - the four of them
            return None
        first, lowest, at, final = map(float, numbers)
        fall = first - lowest
        if not (fall > 0 and 0 < at < final):
            return None
        rise = (end - lowest) / fall if end is not None and math.isfinite(end) else BLOWN_UP
        if not 0 < rise < math.inf:
            return None
        updates = max(min(int(final), UPDATES), 2)
        norm, later, lr = (number(facts, key, least=SMALLEST) for key in ("norm_low", "norm_end", "lr"))
        mid, middle = facts.get("mid"), None
        if isinstance(mid, int | float) and math.isfinite(mid) and rise < BLOWN_UP:
            middle = (mid - lowest) / (rise * fall)
        return cls(
            rise=min(rise, BLOWN_UP),
            place=at / final,
            middle=middle,
            norms=later / norm if norm and later else None,
            noise=min((number(facts, "noise") or 0.0) / fall, 1.0),
            updates=updates,
            per_update=updates / final,
            warmup=min((number(facts, "warmup") or 0.0) * updates / final, LONGEST),
            lr=LR if lr is None else (lr, lr),
        )


@dataclass(frozen=True, slots=True)
class Courses:
    """n courses; curvatures are in units of one over the logged peak learning rate, losses in what is to be learned."""

    usual: Tensor  # (n,) curvature of the directions that are learned
    steep: Tensor  # (2, n) curvature of a steep direction at first, and in the end
    falls_in: Tensor  # (n,) updates in which the one turns into the other, by a factor e
    amplitude: Tensor  # (n,) root of the loss in the steep direction at first
    kicks: Tensor  # (updates, n) by which noise moves the steep direction, in units of its first place
    drift: Tensor  # (n,) by which each update moves the minimum, from its place on
    harder: Tensor  # (n,) by which the floor of the loss rises, from its place on
    ramp: Tensor  # (n,) updates in which it does
    momentum: Tensor  # (n,)
    noise: Tensor  # (updates, n) of the gradient, standard normal
    noisy: Tensor  # (n,) its size
    lr: Tensor  # (n,) the logged peak
    seen: Seen

    @property
    def edge(self) -> Tensor:
        """The largest stable curvature: (n,)."""
        return 2 * (1 + self.momentum)

    def take(self, index: Tensor) -> Courses:
        """Those at `index`, in that order."""
        parts = ("usual", "falls_in", "amplitude", "drift", "harder", "ramp", "momentum", "noisy", "lr")
        taken = {name: getattr(self, name)[index] for name in parts}
        wide = {name: getattr(self, name)[:, index] for name in ("steep", "noise", "kicks")}
        return replace(self, **taken, **wide)

    def run(self, rate: float | Tensor = 1.0, warmup: float | None = None) -> tuple[Tensor, Tensor]:
        """Loss and gradient norm, (updates + 1, n), at `rate` times the logged rate.

        A `warmup` that replaces the logged one comes on top, so that as many updates are made at the full rate.
        """
        ramp = self.seen.warmup if warmup is None else warmup
        steps = self.seen.updates + math.ceil(max(ramp - self.seen.warmup, 0.0))
        rates = warmed_up(rate, ramp, steps).to(self.usual.device)
        time = torch.arange(steps + 1, dtype=torch.float64, device=self.usual.device).unsqueeze(-1)
        begins = self.seen.place * self.seen.updates
        moved = (time[:-1] >= begins) * self.drift / rates
        again = torch.arange(steps, device=time.device) % len(self.noise)
        noise = self.noise[again] * self.noisy
        bulk = descend((2 / self.usual).sqrt(), self.usual.unsqueeze(0), rates, self.momentum, moved + noise)
        curvature = self.steep[1] + (self.steep[0] - self.steep[1]) * (-time / self.falls_in).exp()
        start = self.amplitude * (2 / self.steep[0]).sqrt()
        steep = descend(start, curvature[:-1], rates, self.momentum, self.kicks[again] * start * self.edge)
        harder = self.harder * ((time - begins) / self.ramp).clamp(0, 1)
        loss = 0.5 * (self.usual * bulk.square() + curvature * steep.square()) + harder
        norm = ((self.usual * bulk).square() + (curvature * steep).square() + self.noisy.square()).sqrt()
        return loss.nan_to_num(math.inf), norm.nan_to_num(math.inf)


def shape(loss: Tensor, norm: Tensor, seen: Seen) -> Observed:
    """What a log would say of a course (updates + 1, n): each (n,)."""
    loss, norm = smooth(loss, seen), smooth(norm, seen)
    last = len(loss) - 1
    low, at = loss.min(0)
    half = loss.gather(0, ((at + last) // 2).unsqueeze(0)).squeeze(0)
    lowest = norm.gather(0, at.unsqueeze(0)).squeeze(0)
    fall, rise = loss[0] - low, loss[-1] - low
    return {
        "fall": fall,
        "rise": (rise / fall).nan_to_num(math.inf, math.inf),
        "place": at / last,
        "middle": (half - low) / rise,
        "norms": norm[-1] / lowest,
    }


def smooth(values: Tensor, seen: Seen) -> Tensor:
    """Means over a tenth of the logged course, as a reader sees a noisy curve."""
    window = max(1, seen.updates // 10)
    kept = len(values) - window + 1
    return torch.stack([values[first : first + kept] for first in range(window)]).mean(0)


def miss(observed: Observed, seen: Seen) -> Tensor:
    """How far each course is from the log, 1 at the tolerance: (n,)."""
    place = PLACE + 1 / seen.updates
    misses = [
        (observed["rise"] / seen.rise).log().abs() / math.log(1 + RISE + 2 * seen.noise),
        (observed["place"] - seen.place).abs() / place,
    ]
    if seen.middle is not None:
        misses.append((observed["middle"] - seen.middle).abs() / (place + 2 * seen.noise / seen.rise))
    if seen.norms is not None:
        misses.append((observed["norms"] / seen.norms).log().abs() / math.log(NORMS))
    return torch.stack(misses).nan_to_num(math.inf, math.inf, math.inf).amax(0)
