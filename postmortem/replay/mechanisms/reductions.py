"""Losses that are means over some of their tokens, where a batch or a sequence has none, or a logit is bad."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.cross_entropy import stable_cross_entropy
from postmortem.replay.reference.masked_mean import Masking, masked_mean
from postmortem.replay.values import amount, number, switched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

SEQUENCES: Final = 4
POSITIONS: Final = 8
VOCABULARY: Final = 16
LOGITS: Final = (0.1, 30.0)
#: Of the batches: where the update of a gradient that is not finite is left out, as a loss scaler does it.
GUARDED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """S batches of one update each, in float32."""

    logits: Tensor  # (S, sequences, positions, vocabulary)
    targets: Tensor  # (S, sequences, positions)
    counts: Tensor  # (S, sequences, positions) bool: where there is a target
    guarded: Tensor  # (S,) bool


class MeanLoss(Mechanism[Batch]):
    """A cross-entropy over the tokens that have a target: its value, its gradient, and what an update leaves."""

    per_sequence = False

    def __init__(self, masking: Masking = "selected", family: str | None = None) -> None:
        self.masking: Masking = masking
        self.family = family or f"tokens {masking} by the mask"

    @abstractmethod
    def spoil(self, batch: Batch) -> Batch:
        """`batch` with what makes its loss not finite."""

    @abstractmethod
    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """Why this cannot show what the log does; empty where it can."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Batch:  # noqa: ARG002
        """Batches of finite logits, with a target at 10 to 90 % of the tokens and at one of each sequence at least."""
        shape = (lab.draws, SEQUENCES, POSITIONS)
        counts = stream.uniform(shape) < 0.1 + 0.8 * stream.uniform((lab.draws, 1, 1))
        counts[..., 0] = True
        batch = Batch(
            logits=stream.between(*LOGITS, (lab.draws, 1, 1, 1)) * stream.normal((*shape, VOCABULARY)),
            targets=stream.integers(0, VOCABULARY, shape),
            counts=counts,
            guarded=stream.uniform((lab.draws,)) < GUARDED,
        )
        return self.spoil(batch)

    def observe(self, scenario: Batch, knobs: Mapping[str, Value]) -> Observed:
        """The `loss` and the gradient's `norm`, and 1 or 0 for three words.

        These are a `finite` loss, a `usable` gradient, which is finite, and `sound` weights after the update.
        """
        with torch.enable_grad():
            logits = scenario.logits.detach().requires_grad_()
            loss = self._loss(logits, scenario, knobs)
            (gradient,) = torch.autograd.grad(loss.sum(), logits)
        usable = gradient.flatten(1).isfinite().all(-1)
        return {
            "loss": loss.detach().double(),
            "norm": torch.linalg.vector_norm(gradient.flatten(1), dim=-1).double(),
            "finite": loss.detach().isfinite().double(),
            "usable": usable.double(),
            "sound": (usable | scenario.guarded).double(),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the logged quantity is nan, or inf as the log has it, and recovers if the log's does."""
        value = observed["norm" if of_gradient(facts) else "loss"]
        shown = value.isinf() if facts.get("kind") == "inf" else value.isnan()
        if self.excluded(facts):
            return torch.zeros_like(shown)
        return shown & (observed["sound"] > 0) if recovers(facts) else shown

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """A law that excludes the mechanism."""
        excluded = self.excluded(facts)
        return Ceiling(value=0.0, because=excluded) if excluded else None

    def _loss(self, logits: Tensor, batch: Batch, knobs: Mapping[str, Value]) -> Tensor:
        least = torch.zeros_like(batch.guarded, dtype=logits.dtype)
        if "min_targets" in knobs:
            least = least + amount("min_targets", knobs["min_targets"])
        if switched("ignore_empty", knobs.get("ignore_empty", "no")):
            # A batch that is left out adds nothing to the loss or to the gradient: as with a divisor of 1.
            least = least.masked_fill(~batch.counts.flatten(1).any(-1), 1.0)
        tokens, counts = stable_cross_entropy(logits, batch.targets), batch.counts
        if self.per_sequence:
            loss = masked_mean(tokens, counts, masking=self.masking, least=least.unsqueeze(-1)).mean(-1)
        else:
            loss = masked_mean(tokens.flatten(1), counts.flatten(1), masking=self.masking, least=least)
        if switched("nan_to_num", knobs.get("nan_to_num", "no")):
            return loss.nan_to_num(0.0, 0.0, 0.0)
        return loss


class EmptyBatch(MeanLoss):
    """No token of the batch has a target: 0 / 0."""

    name = "empty_batch"
    title = "a batch without a target"

    def spoil(self, batch: Batch) -> Batch:
        """Without a target."""
        return replace(batch, counts=torch.zeros_like(batch.counts))

    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """By targets in that batch, or by what 0 / 0 is not."""
        if targets := number(facts, "targets"):
            return f"the batch has {targets:g} targets"
        return _not_zero_over_zero(self.masking, facts)


class EmptySequence(MeanLoss):
    """One sequence of the batch has none, in a mean over the means of sequences."""

    name = "empty_sequence"
    title = "a sequence without a target, in a mean of means"
    per_sequence = True

    def spoil(self, batch: Batch) -> Batch:
        """The first sequence without a target."""
        counts = batch.counts.clone()
        counts[:, 0] = False
        return replace(batch, counts=counts)

    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """By a batch that has no target at all, or by what 0 / 0 is not."""
        if number(facts, "targets") == 0:
            return "the batch has no target, and not one sequence alone"
        return _not_zero_over_zero(self.masking, facts)


class BadLogit(MeanLoss):
    """One logit that was not finite before the loss was computed, at a token that counts."""

    name = "nonfinite_logit"
    title = "a logit that is not finite"

    def __init__(self, value: float) -> None:
        super().__init__(family=f"{value:g}" + (" at the target" if value == -math.inf else ""))
        self.value = value

    def spoil(self, batch: Batch) -> Batch:
        """The target's logit of the first token, -inf; or, if it is another value, any logit of it."""
        logits = batch.logits.clone()
        logits[:, 0, 0] = logits[:, 0, 0].scatter(-1, batch.targets[:, 0, :1], self.value)
        return replace(batch, logits=logits)

    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """By a batch of which no token counts."""
        return "no token of that batch counts, so that no logit enters" if number(facts, "targets") == 0 else ""


def of_gradient(facts: Mapping[str, Fact]) -> bool:
    """Whether the quantity that is not finite is the gradient's norm."""
    return facts.get("metric") == "grad_norm"


def recovers(facts: Mapping[str, Fact]) -> bool:
    """Whether the log shows finite values of the same quantity after the bad one."""
    return facts.get("finite_after") is True or bool(number(facts, "finite_after", least=1))


def _not_zero_over_zero(masking: Masking, facts: Mapping[str, Fact]) -> str:
    if facts.get("kind") == "inf":
        return "0 / 0 is nan, and the log shows inf"
    if of_gradient(facts) and masking == "selected":
        return "the gradient of a mean over selected tokens is 0 where there are none, not nan"
    return ""
