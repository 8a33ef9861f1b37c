"""Micro batches whose gradients are accumulated: three ways in which a printed loss is larger than it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast, get_args

import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.gradient_accumulation import Accumulation, accumulate
from postmortem.replay.values import amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

Optimizer = Literal["SGD", "SGD, clipped", "Adam"]
OPTIMIZERS: Final = get_args(Optimizer)
#: Entries of a gradient: its norm is what counts, and that of 16 shows how micro batches add up.
ENTRIES: Final = 16
#: Micro batches of which the number is believed; more are no accumulation.
MOST: Final = 512
MICRO_BATCHES: Final = (2, 64)
TOKENS: Final = (16.0, 4096.0)
#: The loss of a micro batch lies between one over this and this, times the usual one.
SPREAD: Final = 2.0
NORM: Final = (0.1, 100.0)
MAX_NORM: Final = 1.0
#: A ratio of losses is shown when it is this close: they are of other batches.
MET: Final = 0.15
#: A logged loss or norm below this is none.
LEAST: Final = 1e-9
LR: Final = (1e-6, 1.0)
#: A learning rate below this is none.
SMALLEST: Final = 1e-30
ADAM_EPS: Final = 1e-8


def factor(facts: Mapping[str, Fact]) -> float | None:
    """How many times the printed loss is what it should be; None where the log does not tell."""
    loss, usual = number(facts, "loss", least=LEAST), number(facts, "usual_loss", least=LEAST)
    return loss / usual if loss and usual and 0 < loss / usual < math.inf else None


@dataclass(frozen=True, slots=True)
class Updates:
    """n updates of up to k micro batches each; those beyond an update's own number have no tokens and no gradient."""

    losses: Tensor  # (n, k, 1), the mean over the tokens of each micro batch
    gradients: Tensor  # (n, k, ENTRIES), of that mean
    tokens: Tensor  # (n, k)
    count: Tensor  # (n, 1), micro batches of each update
    max_norm: float
    lr: Tensor  # (n,) that of the log


class Accumulated(Mechanism[Updates]):
    """Updates of an optimizer, whose gradients and printed losses are added up in one of the ways."""

    dtype = "float32"
    how: ClassVar[Accumulation]  # of the gradients
    printed: ClassVar[Accumulation]  # of the losses

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer: Optimizer = optimizer
        self.family = optimizer

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Updates:
        """Micro batches of unequal length, whose gradients pull together from hardly to nearly entirely."""
        known, lr = number(facts, "grad_accum", least=1), number(facts, "lr", least=SMALLEST)
        fewest, most = MICRO_BATCHES if known is None else (min(int(known), MOST),) * 2
        n, device = lab.draws, stream.device
        count = stream.between(fewest, most + 1, (n, 1)).floor().clamp(max=most)
        used = torch.arange(most, device=device) < count
        together = stream.normal((n, 1, ENTRIES))
        apart = stream.normal((n, most, ENTRIES))
        gradients = together + stream.between(0.03, 3.0, (n, 1, 1)) * apart
        losses = stream.between(1 / SPREAD, SPREAD, (n, most, 1))
        updates = Updates(
            losses=losses * used.unsqueeze(-1),
            gradients=gradients * used.unsqueeze(-1),
            tokens=stream.between(*TOKENS, (n, most)).ceil() * used,
            count=count,
            max_norm=number(facts, "max_norm", least=LEAST) or MAX_NORM,
            lr=stream.between(*(LR if lr is None else (lr, lr)), (n,)),
        )
        norm = number(facts, "grad_norm", least=LEAST)
        wanted = stream.between(*(NORM if norm is None else (norm, norm)), (n, 1, 1))
        scale = wanted / _added(updates, updates.gradients, self.how).norm(dim=-1).reshape(-1, 1, 1)
        return replace(updates, gradients=updates.gradients * scale)

    def observe(self, scenario: Updates, knobs: Mapping[str, Value]) -> Observed:
        """The printed loss over that of all tokens, the gradient norm, and the update's length over the right one."""
        how = _accumulation(knobs["accumulation"]) if "accumulation" in knobs else self.how
        printed = how if "accumulation" in knobs else self.printed
        rate = amount("lr", knobs["lr"]) / scenario.lr if "lr" in knobs else 1.0
        losses, gradients = scenario.losses, scenario.gradients
        gradient, right = (_added(scenario, gradients, one) for one in (how, "token_mean"))
        loss, usual = (_added(scenario, losses, one).squeeze(-1) for one in (printed, "token_mean"))
        length, wanted = (self._update(one, scenario.max_norm).norm(dim=-1) for one in (gradient, right))
        return {
            "ratio": (loss / usual).double(),
            "norm": gradient.norm(dim=-1).double(),
            "length": (rate * length / wanted).double(),
            "micro_batches": scenario.count.squeeze(-1).double(),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the printed loss is as many times the usual one as in the log; nowhere, where the log does not tell."""
        seen = factor(facts)
        ratio = observed["ratio"]
        return torch.zeros_like(ratio, dtype=torch.bool) if seen is None else (ratio / seen - 1).abs() <= MET

    def _update(self, gradient: Tensor, max_norm: float) -> Tensor:
        """The first update (n, ENTRIES) at a learning rate of 1."""
        if self.optimizer == "Adam":
            return gradient / gradient.abs().add(ADAM_EPS)
        if self.optimizer == "SGD, clipped":
            norm: Tensor = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
            return gradient * (max_norm / norm).clamp(max=1.0)
        return gradient


class SummedGradients(Accumulated):
    """Neither loss nor gradient is divided."""

    name = "summed_gradients"
    title = "gradients added up and not divided"
    how = printed = "sum"

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """A sum of k losses is k of them, each within the spread."""
        known, seen = number(facts, "grad_accum", least=1), factor(facts)
        if known is None or seen is None or known > MOST or known / SPREAD**2 <= seen <= known * SPREAD**2:
            return None
        return Ceiling(known, f"{known:g} micro batches make it about {known:g} times the usual loss, not {seen:.3g}")


class PrintedSum(Accumulated):
    """The gradient is right; what is printed is the sum."""

    name = "printed_sum"
    title = "a sum that is printed and not used"
    how, printed = "mean", "sum"

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """As where the gradients are summed as well."""
        return SummedGradients(self.optimizer).ceiling(facts, lab)


class UnequalMicroBatches(Accumulated):
    """Each is divided by its own tokens, so that a token of a short one counts more."""

    name = "mean_of_means"
    title = "mean of the micro batches' means"
    how = printed = "mean"

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """Both means lie between the least and the largest loss of a micro batch."""
        seen = factor(facts)
        most = SPREAD**2
        if seen is None or abs(math.log(seen)) <= math.log(most * (1 + MET)):
            return None
        return Ceiling(
            most,
            f"a mean in place of another is {most:g} times it at most, where micro batches differ by that; "
            f"{seen:.3g} times is asked for",
        )


def _added(updates: Updates, means: Tensor, how: Accumulation) -> Tensor:
    """As `accumulate` says, over each update's own number of micro batches: (n, p)."""
    if how == "mean":
        return accumulate(means, updates.tokens, "sum") / updates.count
    return accumulate(means, updates.tokens, how)


def _accumulation(value: Value) -> Accumulation:
    if value not in get_args(Accumulation):
        raise PostmortemError(f"accumulation takes one of {', '.join(get_args(Accumulation))}, not {value!r}")
    return cast("Accumulation", value)
