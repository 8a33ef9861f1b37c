"""The first batches of a run: what a log says of them, and recognisers that train through them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.reference.scaled_training import Loop, Trace, train
from postmortem.replay.values import DTYPES, FLOAT32_MAX, amount, dtype_named, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.mechanisms.recognisers import Recognisers
    from postmortem.replay.protocol import Fact, Value

#: torch's own, and Adam's usual one; neither is used where the log names another.
INIT_SCALE: Final = 65536.0
LR: Final = 1e-4
#: Batches beyond the infinite ones of the log: enough for the search to end, and for training to go on.
MORE_BATCHES: Final = 12
#: No search is longer, whatever a log says: from 65536 so many halvings reach 1.5e-5.
MOST_BATCHES: Final = 32
FLOAT32_MIN: Final = torch.finfo(torch.float32).tiny


@dataclass(frozen=True, slots=True)
class Asked:
    """What the log shows, and torch's defaults for what it does not."""

    infinite: int  # of which no more are replayed than MOST_BATCHES
    logged: float
    followed: bool
    loss: float | None
    loop: Loop

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Asked:
        """Read from the facts. Batches may be counted from 0 or from 1: a first one of 1 is the first."""
        before = max((number(facts, "first_batch") or 0) - 1, 0)
        logged = before + (number(facts, "inf_steps", least=1) or 1)
        return cls(
            infinite=int(min(logged, MOST_BATCHES)),
            logged=logged,
            followed=facts.get("finite_after") is True,
            loss=_held(facts, "loss", least=FLOAT32_MIN),
            loop=Loop(
                dtype=DTYPES.get(str(facts.get("dtype")), torch.float16),
                init_scale=_held(facts, "init_scale", least=FLOAT32_MIN) or INIT_SCALE,
                lr=_held(facts, "lr") or LR,
                max_norm=_held(facts, "max_norm"),
                skip_above=_held(facts, "skip_above"),
            ),
        )

    @property
    def scale(self) -> float:
        """What the scaler starts from."""
        return self.loop.init_scale or 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Networks, the loop that trains them for so many batches, and what it logs without a skip rule."""

    networks: Recognisers
    loop: Loop
    batches: int
    plain: Trace

    @classmethod
    def of(cls, networks: Recognisers, asked: Asked, *, until_settled: bool = False) -> Scenario:
        """Trained once as the log says."""
        batches = asked.infinite + MORE_BATCHES
        loop = replace(asked.loop, skip_above=None)
        plain = train(networks.runs(), loop, batches, until_settled=until_settled)
        return cls(networks, asked.loop, batches, plain)

    def trained(self, loop: Loop, knobs: Mapping[str, Value], *, until_settled: bool = False) -> Trace:
        """What `loop` logs, from initial weights as large as `knobs` may say."""
        weight_init = amount("weight_init", knobs["weight_init"]) if "weight_init" in knobs else None
        if weight_init is None and loop == replace(self.loop, skip_above=None):
            return self.plain
        return train(self.networks.runs(weight_init), loop, self.batches, until_settled=until_settled)


def _held(facts: Mapping[str, Fact], key: str, *, least: float = 0.0) -> float | None:
    """The magnitude of a fact as float32 holds it: what is beyond its range counts as its largest number."""
    value = number(facts, key, least=least)
    return None if value is None else min(value, FLOAT32_MAX)


def observe(trace: Trace, logged: Tensor | None = None) -> Observed:
    """What n runs log in their first `logged` (n,) batches, as (n,) float64.

    `infinite_norms`: in a row from the first batch on; `overflows`: those beside a finite loss; `ended`: 1
    where a finite norm follows; `steps`: of the optimizer.
    """
    batches, _ = trace.norm.shape
    index = torch.arange(batches, device=trace.norm.device).unsqueeze(-1)
    within = torch.ones_like(trace.stepped) if logged is None else index < logged
    quantities = {
        "infinite_norms": (~trace.norm.isfinite() & within).cumprod(0),
        "overflows": (~trace.norm.isfinite() & trace.loss.isfinite() & within).cumprod(0),
        "steps": trace.stepped & within,
        "ended": (trace.norm.isfinite() & within).any(0, keepdim=True),
    }
    return {name: values.sum(0).double() for name, values in quantities.items()}


def as_logged(observed: Observed, asked: Asked) -> Tensor:
    """Where as many norms are infinite beside a finite loss as the log shows: booleans (n,)."""
    enough = observed["overflows"] >= asked.infinite
    return enough & (observed["infinite_norms"] == asked.infinite) if asked.followed else enough


def turned(loop: Loop, knobs: Mapping[str, Value]) -> Loop:
    """The loop with these settings; knobs that are none of its settings are left alone."""

    def setting(knob: str, unchanged: float | None) -> float | None:
        value = knobs.get(knob, unchanged)
        return None if value is None else amount(knob, value)

    return replace(
        loop,
        dtype=dtype_named(knobs["dtype"]) if "dtype" in knobs else loop.dtype,
        init_scale=setting("init_scale", loop.init_scale),
        lr=amount("lr", knobs.get("lr", loop.lr)),
        max_norm=setting("max_norm", loop.max_norm),
        skip_above=setting("skip_above", loop.skip_above),
    )
