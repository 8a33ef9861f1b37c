"""How the first gradient norms come to be infinite: a search for the loss scale, a skip rule, an explosion."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism, Observed
from postmortem.replay.mechanisms.recognisers import Ranges, Recognisers, draw
from postmortem.replay.mechanisms.startup import MORE_BATCHES, Asked, Scenario, as_logged, observe, turned
from postmortem.replay.reference.clip_by_norm import global_norm
from postmortem.replay.reference.skipped_update import batches_until_error
from postmortem.replay.stream import Stream
from postmortem.replay.values import FLOAT32_MAX, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.protocol import Fact, Lab, Value

#: fp16 convolutions cost a CPU ten times what float32 ones do. So `lab.draws` / POOLED networks are drawn, their
#: float32 gradients say which come near the log, and `lab.draws` / REPLAYED of these are trained in fp16.
POOLED: Final = 2
REPLAYED: Final = 8
FP16_MAX: Final = torch.finfo(torch.float16).max
#: Where scenarios are drawn from, and the wider ones that a ceiling searches.
ORDINARY: Final = Ranges(features=(0.3, 10.0), convolution=(0.4, 1.0), linear=(0.02, 0.5))
WIDE: Final = Ranges(features=(0.1, 100.0), convolution=(0.1, 2.0), linear=(0.01, 2.0))
#: Where float32 itself could give way: from small to absurd, by depth.
EXTREME: Final = tuple(
    Ranges(features=(0.01, 1e4), convolution=(0.01, 10.0), linear=(0.01, 10.0), depth=depth) for depth in (2, 8, 32, 64)
)
#: Where a loop that leaves a batch out can say so.
BEFORE_UPDATE: Final = "`continue` between unscale_ and update()"
BEFORE_UNSCALE: Final = "`continue` before unscale_, on the norm of the scaled gradient"
AFTER_UPDATE: Final = "`continue` after update()"
PLACES: Final = (BEFORE_UPDATE, BEFORE_UNSCALE, AFTER_UPDATE)
#: A loss may be printed per sequence and backpropagated as a sum: by so much at most.
LARGEST_SUM: Final = 16
#: A loss that is averaged more than this keeps no ordinary size: it hides an absurd one.
LEAST_WEIGHT: Final = 1e-4


class ScalerSearch(Mechanism[Scenario]):
    """Scaled fp16 gradients overflow until the scale is halved often enough.

    An overflow that meets one of the other sign makes the norm nan instead of inf. Both count: which of the two
    it is depends on the number of frames that a gradient sums, and small networks sum few.
    """

    name = "scaler_search"
    title = "search for a loss scale in fp16"
    dtype = "float16"

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Scenario:  # noqa: ARG002
        """Networks with the logged loss; of a larger pool, those that come nearest to the logged count."""
        return _search(Asked.of(facts), lab)

    def observe(self, scenario: Scenario, knobs: Mapping[str, Value]) -> Observed:
        """See `observe` in startup; a run with a knob turned ends once every network is settled."""
        return self.logged(scenario, knobs, until_settled=True)

    def logged(self, scenario: Scenario, knobs: Mapping[str, Value], *, until_settled: bool) -> Observed:
        """What this way of writing the loop logs."""
        return observe(scenario.trained(turned(scenario.loop, knobs), knobs, until_settled=until_settled))

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the norm is infinite, and the loss is not, as often as the log says, and the search ends.

        Where the log shows a skip rule, it need not end: that is what the rule may have done.
        """
        asked = Asked.of(facts)
        enough = as_logged(observed, asked)
        return enough & observed["ended"].bool() if asked.loop.skip_above is None else enough

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """The most infinite norms in a row, of networks far larger at the start than is usual."""
        asked = Asked.of(facts)
        observed = self.logged(_hardest(asked, lab), {}, until_settled=True)
        over = observed["overflows"]
        most = int((over * observed["ended"] if asked.loop.skip_above is None else over).max())
        if most >= asked.infinite:
            return None
        scale, dtype = asked.scale, str(asked.loop.dtype).removeprefix("torch.")
        law = (
            f"{halvings(scale)} halvings reach a scale of 1: what overflows below it is itself above {FP16_MAX:,.0f}"
            if asked.loop.dtype == torch.float16
            else f"{dtype} has the range of float32, which no scale of that size leaves"
        )
        return Ceiling(
            value=most,
            because=f"{most} infinite norms in a row at most, from a scale of {scale:,.6g} in {dtype} (of "
            f"{_pool(lab)} networks, weights up to {WIDE.linear[1]:g} times He's, features up to "
            f"{WIDE.features[1]:g}, {LARGEST_SUM} times the printed loss); the log shows {shown(asked.logged)}. {law}",
        )


class SkipRule(ScalerSearch):
    """The same search in a loop that leaves a batch out when its norm is above a threshold."""

    name = "skip_rule"
    title = "skipping on the norm"

    def __init__(self, family: str) -> None:
        self.family = family

    def observe(self, scenario: Scenario, knobs: Mapping[str, Value]) -> Observed:
        """See `observe` in startup, over all batches, so that the steps after the search count."""
        return self.logged(scenario, knobs, until_settled=False)

    def logged(self, scenario: Scenario, knobs: Mapping[str, Value], *, until_settled: bool) -> Observed:
        """What the loop logs with its `continue` in the place of this family."""
        loop = turned(scenario.loop, knobs)
        if loop.skip_above is None or self.family == AFTER_UPDATE:
            return observe(scenario.trained(loop, knobs, until_settled=until_settled))
        if self.family == BEFORE_UNSCALE:
            return observe(scenario.trained(replace(loop, skip="scaled"), knobs, until_settled=until_settled))
        # Until its first skip the loop is the plain one, and after it torch's own scaler has the word.
        trace = scenario.trained(replace(loop, skip_above=None), knobs, until_settled=until_settled)
        # it looks at nothing but which norms are below the threshold, so that networks alike in that share a run
        courses, which = torch.unique(trace.norm <= loop.skip_above, dim=1, return_inverse=True)
        logged = [
            batches_until_error([0.0 if below else math.inf for below in course], loop.skip_above)[0]
            for course in courses.T.tolist()
        ]
        return observe(trace, torch.tensor(logged, device=which.device)[which])


class ExplosionInFloat32(Mechanism[Scenario]):
    """No scaler and no fp16: the gradient itself exceeds float32, beside a finite loss."""

    name = "explosion_in_float32"
    title = "explosion in float32"

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Scenario:  # noqa: ARG002
        """The deepest networks, small to absurd at the start, with the logged loss."""
        asked = Asked.of(facts)
        networks = _drawn(EXTREME[-1], _replayed(lab), asked, lab)
        loop = replace(asked.loop, dtype=torch.float32, init_scale=None)
        return Scenario.of(networks, replace(asked, loop=loop), until_settled=True)

    def observe(self, scenario: Scenario, knobs: Mapping[str, Value]) -> Observed:
        """As `ScalerSearch.observe`; there is no scale to start from."""
        without = {knob: value for knob, value in knobs.items() if knob != "init_scale"}
        weight = scenario.networks.loss_weight
        return {
            **observe(scenario.trained(turned(scenario.loop, without), without, until_settled=True)),
            "ordinary": weight >= LEAST_WEIGHT,
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """As `ScalerSearch.reproduces`, where the loss is not an absurd one in disguise."""
        return as_logged(observed, Asked.of(facts)) & observed["ordinary"]

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """The largest first norm beside the logged loss, over all of EXTREME."""
        asked = Asked.of(facts)
        norms = torch.cat([_first_norms(ranges, asked, lab) for ranges in EXTREME])
        if not norms.numel() or not bool(norms.isfinite().all()):
            return None
        widest = EXTREME[-1]
        return Ceiling(
            value=float(norms.max()),
            because=f"the norm reaches {float(norms.max()):.2g} at most beside that loss ({norms.numel()} networks of "
            f"up to {widest.depth} convolutions, weights {widest.linear[0]:g} to {widest.linear[1]:g} times He's, "
            f"features {widest.features[0]:g} to {widest.features[1]:g}), and is infinite from "
            f"{math.sqrt(FLOAT32_MAX):.2g} on, where its square leaves float32",
        )


@lru_cache(maxsize=1)
def _search(asked: Asked, lab: Lab) -> Scenario:
    """Of a pool, the networks nearest to the log. Once for the plain loop and all skip rules: the seed is one."""
    pool = _drawn(ORDINARY, _pool(lab), asked, lab)
    entries = pool.largest_entries()
    # A free scale, solved: one halving more for each doubling of what is summed beyond the printed loss.
    summed = 2.0 ** (asked.infinite - _expected(entries, asked)).clamp(0, math.log2(LARGEST_SUM))
    miss = asked.infinite - _expected(entries * summed, asked)
    miss = miss.abs() if asked.followed else miss.clamp(min=0)
    nearest = (miss * LARGEST_SUM + summed).argsort(stable=True)[: _replayed(lab)]
    solved = replace(pool, loss_weight=pool.loss_weight * summed)
    return Scenario.of(solved.take(nearest), asked)


@lru_cache(maxsize=1)
def _hardest(asked: Asked, lab: Lab) -> Scenario:
    """Of a wider pool, the networks with the largest gradients, trained until the search ends."""
    wide = _drawn(WIDE, _pool(lab), asked, lab)
    wide = replace(wide, loss_weight=wide.loss_weight * LARGEST_SUM)
    worst = _expected(wide.largest_entries(), asked).argsort(descending=True, stable=True)[: _replayed(lab)]
    return Scenario.of(wide.take(worst), asked, until_settled=True)


def _pool(lab: Lab) -> int:
    return max(lab.draws // POOLED, 1)


def _replayed(lab: Lab) -> int:
    return max(lab.draws // REPLAYED, 1)


def halvings(scale: float) -> int:
    """How many halvings take `scale` to 1."""
    return max(math.ceil(math.log2(scale)), 0)


def _drawn(ranges: Ranges, count: int, asked: Asked, lab: Lab) -> Recognisers:
    """`count` networks of the lab's seed with the logged loss, or with torch's mean where none was logged."""
    networks = draw(count, ranges, Stream(lab.seed, lab.device))
    return networks if asked.loss is None else networks.with_loss(asked.loss)


def _expected(entries: Tensor, asked: Asked) -> Tensor:
    """How many scales (n,), halved batch by batch, are too large for these entries (batches, n), in turn."""
    index = torch.arange(asked.infinite + MORE_BATCHES, device=entries.device)
    scales = asked.scale * 0.5 ** index.unsqueeze(-1)
    return (scales * entries[index % len(entries)] > FP16_MAX).cumprod(0).sum(0)


def _first_norms(ranges: Ranges, asked: Asked, lab: Lab) -> Tensor:
    """The first norms of networks from `ranges`, where the loss is finite and ordinarily weighted."""
    networks = _drawn(ranges, _replayed(lab), asked, lab)
    loss, entries = networks.first_gradient(networks.data[0])
    return global_norm(entries)[loss.isfinite() & (networks.loss_weight >= LEAST_WEIGHT)]
