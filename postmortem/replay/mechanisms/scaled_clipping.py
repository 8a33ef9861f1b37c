"""One update in which the gradient is clipped: while it carries the loss scale, or as it is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import torch

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.adam import Moments, adam_step
from postmortem.replay.reference.clip_by_norm import clip_by_norm, global_norm
from postmortem.replay.values import amount, dtype_of, number, shown, switched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

#: Entries that stand for all of a gradient.
ENTRIES: Final = 256
PARAMETERS: Final = (1e4, 1e9)
SCALES: Final = (2.0**7, 2.0**20)
#: Of ordinary gradients, before clipping.
NORMS: Final = (1e-3, 1e4)
MAX_NORMS: Final = (0.1, 10.0)
ADAM_EPS: Final = 1e-8
MET: Final = 0.05
LEAST: Final = 1e-30
Optimizer = Literal["SGD", "Adam"]


@dataclass(frozen=True, slots=True)
class Updates:
    """S gradients of one update each, by `ENTRIES` of their entries."""

    gradient: Tensor  # (S, entries) float32, without the loss scale; its norm is that of all parameters
    parameters: Tensor  # (S,), over which that norm is spread
    scale: Tensor  # (S,) by which the gradient is multiplied when it is clipped
    max_norm: Tensor  # (S,)


class Clipping(Mechanism[Updates]):
    """Clip to max_norm, take the scale off, make one step; the norm that is printed is that before clipping."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.family = optimizer

    @abstractmethod
    def scales(self, facts: Mapping[str, Fact]) -> tuple[float, float]:
        """The ends of what the gradient is multiplied by when it is clipped."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Updates:
        """Gradients whose norm, as it is printed, is the logged one, or any ordinary one."""
        shape = (lab.draws,)
        printed, max_norm = (number(facts, key, least=LEAST) for key in ("usual", "max_norm"))
        scale = stream.between(*self.scales(facts), shape)
        norm = stream.between(*NORMS, shape) if printed is None else printed / scale
        entries = stream.normal((lab.draws, ENTRIES))
        return Updates(
            gradient=entries * (norm / global_norm([entries])).unsqueeze(-1),
            parameters=stream.between(*PARAMETERS, shape),
            scale=scale,
            max_norm=stream.between(*(MAX_NORMS if max_norm is None else (max_norm, max_norm)), shape),
        )

    def observe(self, scenario: Updates, knobs: Mapping[str, Value]) -> Observed:
        """The norms `printed` and `own`, with and without the scale, and the length of the `step`."""
        first = switched("unscale_first", knobs.get("unscale_first", "no"))
        scale = (torch.ones_like(scenario.scale) if first else scenario.scale).unsqueeze(-1)
        max_norm = scenario.max_norm
        if "max_norm" in knobs:
            max_norm = torch.full_like(max_norm, amount("max_norm", knobs["max_norm"]))
        (clipped,), printed = clip_by_norm([scenario.gradient * scale], max_norm)
        step = clipped / scale
        if self.optimizer == "Adam":
            # Eps is held against an entry: the norm is spread over all parameters, of which a few are here.
            spread = (scenario.parameters / ENTRIES).sqrt().unsqueeze(-1)
            step = spread * adam_step(step / spread, Moments.start(step), eps=ADAM_EPS)[0]
        return {
            "printed": printed.double(),
            "own": global_norm([scenario.gradient]).double(),
            "step": global_norm([step]).double(),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the printed norm is the logged one within 5 %; everywhere, where the log gives none."""
        printed = number(facts, "usual", least=LEAST)
        if printed is None:
            return observed["printed"].isfinite()
        return (observed["printed"] / printed - 1).abs() <= MET


class ClippedScaled(Clipping):
    """`clip_grad_norm_` without `unscale_` before it: the threshold meets a gradient that is S times too large."""

    name = "clipped_scaled"
    title = "clipped while it carries the loss scale"

    def scales(self, facts: Mapping[str, Fact]) -> tuple[float, float]:
        """The loss scale of the log, or any usual one."""
        known = number(facts, "loss_scale", least=1)
        return SCALES if known is None else (known, known)

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """As elsewhere, with a gradient whose own norm is an ordinary one, if there is a loss scale at all."""
        if _unscaled(facts):
            return torch.zeros_like(observed["own"], dtype=torch.bool)
        own = observed["own"]
        return super().reproduces(observed, facts) & (own >= NORMS[0]) & (own <= NORMS[1])

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - arithmetic, no search
        """A dtype without a loss scale, or a norm that no scale makes of an ordinary one."""
        if _unscaled(facts):
            return Ceiling(value=1.0, because=f"{facts.get('dtype')} needs no loss scale, and none is logged")
        printed, (least, most) = number(facts, "usual", least=LEAST), self.scales(facts)
        if printed is None or (printed / most <= NORMS[1] and printed / least >= NORMS[0]):
            return None
        return Ceiling(
            value=most * NORMS[1],
            because=f"over a scale of {shown(least)} to {shown(most)} the gradient's own norm would be "
            f"{printed / most:.2g} to {printed / least:.2g}, and ordinary ones are {NORMS[0]:g} to {NORMS[1]:,.0f}",
        )


class ClippedAsIs(Clipping):
    """The gradient is as large as the norm that is printed, whatever made it so."""

    name = "clipped_as_is"
    title = "clipped as it is, and that large"

    def scales(self, facts: Mapping[str, Fact]) -> tuple[float, float]:  # noqa: ARG002 - no scale
        """None: 1."""
        return (1.0, 1.0)

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """As elsewhere, unless the printed norm is known to follow the loss scale."""
        shown = super().reproduces(observed, facts)
        return torch.zeros_like(shown) if facts.get("follows_scale") is True else shown

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - arithmetic, no search
        """A norm that goes with the loss scale."""
        if facts.get("follows_scale") is not True:
            return None
        return Ceiling(value=1.0, because="the printed norm follows the loss scale, and a gradient's own does not")


def _unscaled(facts: Mapping[str, Fact]) -> bool:
    """Whether the log names a dtype that needs no loss scale, and shows none."""
    return dtype_of(facts) not in {None, torch.float16} and number(facts, "loss_scale", least=1) is None
