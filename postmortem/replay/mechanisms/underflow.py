"""Divisions that only eps guards, in a dtype in which it may be 0: normalisers, and Adam's step."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.adam import BETAS, Moments, adam_step
from postmortem.replay.reference.layer_norm import layer_norm
from postmortem.replay.reference.rms_rescale import rms_rescale
from postmortem.replay.values import amount, dtype_named, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.reference.standardise import Place
    from postmortem.replay.stream import Stream

WIDTH: Final = 64
STEPS: Final = 4
EPS: Final = (1e-12, 1e-5)
#: From what fp16 can just hold to ordinary activations and gradients.
SPREAD: Final = (1e-7, 1e-1)
LEVEL: Final = (1e-2, 10.0)
#: Of the parameters, and of the vectors: those without a gradient, or without a spread.
IDLE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Operands:
    """S scenarios: what is divided, (S, k, n), and eps (S, 1)."""

    values: Tensor
    eps: Tensor


class Division(Mechanism[Operands]):
    """An operation that divides by a statistic of its input and eps, all of it in one dtype."""

    knob: ClassVar[str]  # the setting that is its eps

    def __init__(self, held: torch.dtype, family: str) -> None:
        self.held = held
        self.family = f"{family}, {_name(held)}"
        self.dtype = _name(held)  # type: ignore[misc]  # the dtype is the log's

    @abstractmethod
    def values(self, count: int, stream: Stream) -> Tensor:
        """The operands of `count` scenarios, (count, k, n) float32."""

    @abstractmethod
    def divide(self, values: Tensor, eps: Tensor) -> Tensor:
        """The operation on (S, k, n) with eps (S, 1), in their dtype, over the most that it can give: (S, k, n)."""

    @abstractmethod
    def guarded(self, eps: float) -> bool:
        """Whether with this eps, above 0 in the dtype, nothing that underflows is divided to infinity."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Operands:
        """Operands of which some have no spread, others one that underflows, and others an ordinary one."""
        eps = number(facts, "eps")
        return Operands(
            values=self.values(lab.draws, stream),
            eps=stream.between(*(EPS if eps is None else (eps, eps)), (lab.draws, 1)).double(),
        )

    def observe(self, scenario: Operands, knobs: Mapping[str, Value]) -> Observed:
        """`lost`, the share of results that are not finite, and `excess`, the largest over the most possible."""
        eps = torch.full_like(scenario.eps, amount(self.knob, knobs[self.knob])) if self.knob in knobs else scenario.eps
        dtype = dtype_named(knobs["dtype"]) if "dtype" in knobs else self.held
        # The operands are as the network holds them, whatever the dtype that divides.
        results = self.divide(scenario.values.to(self.held).to(dtype), eps.to(dtype)).flatten(1)
        return {
            "lost": (~results.isfinite()).double().mean(-1),
            "excess": results.double().abs().nan_to_num(math.inf, math.inf).amax(-1),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:  # noqa: ARG002 - nan is nan
        """Where a result is not finite."""
        return observed["lost"] > 0

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The least eps that the log or the prior allows, as the dtype holds it, where that is above 0."""
        known = number(facts, "eps")
        least = EPS[0] if known is None else known
        held = float(torch.tensor(least, dtype=torch.float64).to(self.held))
        if not held or not self.guarded(held):
            return None
        return Ceiling(
            value=0.0,
            because=f"eps = {least:.3g} is {held:.3g} in {self.dtype}, not 0: no finite operand becomes nan or inf",
        )


class NormalisedFlat(Division):
    """A normaliser over vectors without spread, or with one whose square underflows."""

    name = "normaliser"
    title = "a normaliser over vectors without spread"
    knob = "eps"

    def __init__(self, held: torch.dtype, place: Place | None) -> None:
        self.place = place
        super().__init__(held, "RMS rescaling" if place is None else f"layer norm, eps {place} the root")

    def values(self, count: int, stream: Stream) -> Tensor:
        """A vector a scenario: a level, or none, and a spread, or none. RMS rescaling has no level."""
        noise = stream.normal((count, 1, WIDTH))
        level, spread = (stream.between(*ends, (count, 1, 1)) for ends in (LEVEL, SPREAD))
        has_level, has_spread = (stream.uniform((count, 1, 1)) for _ in range(2))
        raised = level * (has_level < 1 / 2) if self.place else 0.0
        return raised + spread * noise * (has_spread >= IDLE)

    def divide(self, values: Tensor, eps: Tensor) -> Tensor:
        """Over sqrt(n - 1), the most that a z-score can be, or over sqrt(n)."""
        if self.place is None:
            return rms_rescale(values, 1.0, eps.unsqueeze(-1)) / math.sqrt(WIDTH)
        return layer_norm(values, eps.unsqueeze(-1), place=self.place) / math.sqrt(WIDTH - 1)

    def guarded(self, eps: float) -> bool:
        """An entry whose square underflows is below the root of the least number, and eps not below that number."""
        # Rescaling makes a factor of 1 / eps first.
        largest = math.sqrt(_least(self.held)) if self.place else 1.0
        return largest / eps < torch.finfo(self.held).max


class AdamIdle(Division):
    """Adam on parameters without a gradient, or with one whose square underflows in the second moment."""

    name = "adam"
    title = "Adam on parameters with little or no gradient"
    knob = "optimizer_eps"

    def __init__(self, held: torch.dtype) -> None:
        super().__init__(held, "moments")

    def values(self, count: int, stream: Stream) -> Tensor:
        """A few batches of gradients a scenario, of one size; some parameters have none."""
        size = stream.between(*SPREAD, (count, 1, 1))
        idle = stream.uniform((count, 1, WIDTH)) < IDLE * stream.uniform((count, 1, 1))
        return size * stream.normal((count, STEPS, WIDTH)) * ~idle

    def divide(self, values: Tensor, eps: Tensor) -> Tensor:
        """The steps in learning rates, over the longest that sound moments allow."""
        state, steps = Moments.start(values[:, 0]), []
        for gradient in values.unbind(1):
            step, state = adam_step(gradient, state, eps=eps)
            steps.append(step)
        return torch.stack(steps, 1) / ((1 - BETAS[0]) / math.sqrt(1 - BETAS[1]))

    def guarded(self, eps: float) -> bool:
        """A gradient that underflows has (1 - beta2) g^2 below the least number; eps alone divides it."""
        largest = math.sqrt(_least(self.held) / (1 - BETAS[1]))
        return largest / eps < torch.finfo(self.held).max


def _least(dtype: torch.dtype) -> float:
    """The smallest number above 0 that the dtype holds."""
    limits = torch.finfo(dtype)
    return limits.tiny * limits.eps


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
