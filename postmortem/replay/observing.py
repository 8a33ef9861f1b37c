"""Scenarios before and after each fix: all at once, or in halves where the device's memory does not hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import torch

from postmortem.replay import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Mechanism, Observed
    from postmortem.replay.protocol import Fact, Fix, Lab


@dataclass(frozen=True, slots=True)
class Seen:
    """What a mechanism showed in n scenarios. `after` lacks a fix where too few were kept to ask."""

    kept: Tensor  # (n,) booleans: the log's numbers are shown
    before: Observed
    after: Mapping[Fix, Observed]
    lab: Lab  # with as many draws as the device holds at once
    parts: int = 1


def observe(mechanism: Mechanism[Any], facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab) -> Seen:
    """`lab.draws` scenarios of the lab's seed, and each fix on those that are kept.

    Halves have seeds of their own, so that they are no copies of one another. RuntimeError where the device does not
    hold the fewest scenarios that a verdict takes.
    """
    return _observe(mechanism, facts, fixes, lab, judge.FEWEST_KEPT)


def _observe(mechanism: Mechanism[Any], facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab, least: int) -> Seen:
    try:
        return _at_once(mechanism, facts, fixes, lab, least)
    except RuntimeError as error:
        if not _out_of_memory(error):
            raise
    # only here, outside of the handler, nothing holds the tensors of the attempt any more
    if lab.draws < 2 * judge.FEWEST_KEPT:
        raise RuntimeError(f"the memory of {lab.device} does not hold {lab.draws} scenarios")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = lab.draws // 2
    labs = (replace(lab, draws=half), replace(lab, draws=lab.draws - half, seed=_other(lab.seed, half)))
    one, other = (_observe(mechanism, facts, fixes, part, 1) for part in labs)
    return Seen(
        kept=torch.cat([one.kept.cpu(), other.kept.cpu()]),
        before=_joined(one.before, other.before),
        after={
            # a half without anything kept was not asked; what stands in its place is kept nowhere
            fix: _joined(one.after.get(fix, one.before), other.after.get(fix, other.before))
            for fix in fixes
            if fix in one.after or fix in other.after
        },
        lab=min(one.lab, other.lab, key=lambda part: part.draws),
        parts=one.parts + other.parts,
    )


def _at_once(mechanism: Mechanism[Any], facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab, least: int) -> Seen:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lab.seed)
        scenario = mechanism.drawn(facts, lab)
        before = mechanism.observe(scenario, {})
        kept = mechanism.reproduces(before, facts)
        enough = int(kept.sum()) >= least
        after = {fix: mechanism.observe(scenario, {fix.knob: fix.new}) for fix in fixes} if enough else {}
        return Seen(kept, before, after, lab)


def _other(seed: int, half: int) -> int:
    """A seed far from its neighbours: torch's generator on the CPU looks at 32 bits alone."""
    return crc32(f"{seed}/{half}".encode())


def _joined(one: Observed, other: Observed) -> Observed:
    return {name: torch.cat([values.cpu(), other[name].cpu()]) for name, values in one.items()}


def _out_of_memory(error: RuntimeError) -> bool:
    """Of a GPU, or of the machine: torch has an exception of its own for the first alone."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
