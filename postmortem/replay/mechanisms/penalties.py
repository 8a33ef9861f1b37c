"""What makes the gradient of a penalty on a correlation large: its pole, a vector without length, the layers below."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self, cast, get_args

import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.correlation_penalty import Form, correlation, penalty
from postmortem.replay.values import amount, number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

#: Entries of a vector, of which none enters a bound.
WIDTH: Final = 16
#: 1 - |c|, from the last number before 1 in float32 to hardly correlated.
APART: Final = (2.0**-24, 0.5)
#: 1 - |c| of an ordinary correlation.
ORDINARY: Final = (0.05, 0.9)
LENGTH: Final = (0.3, 30.0)
WEIGHT: Final = (0.01, 10.0)
#: By what the layers below multiply a gradient that reaches the vectors.
BELOW: Final = (0.1, 100.0)
USUAL: Final = (1.0, 100.0)
#: What a length or a weight is multiplied by at most, so that the log's norm is shown.
SHORTEST: Final = 1e-30
TOLERANCE: Final = 0.05
#: What each knob sets, beside the form of the penalty.
KNOBS: Final = {"correlation_clamp": "largest", "correlation_eps": "eps", "penalty_weight": "weight"}
LEAST: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log shows: the gradient norm, 1 - |c|, and how large the norm usually is."""

    norm: float
    apart: float | None
    usual: tuple[float, float]
    weight: tuple[float, float]

    @classmethod
    def of(cls, facts: Mapping[str, Fact]) -> Self | None:
        """From the facts: |c| as printed, or else from the penalty; None without a gradient norm."""
        norm, usual, weight = (
            number(facts, key, least=LEAST) for key in ("total_norm", "usual_norm", "penalty_weight")
        )
        value, c = number(facts, "penalty"), number(facts, "correlation")
        apart = 1 - c if c is not None and c < 1 else math.exp(-value) if value else None
        if norm is None:
            return None
        return cls(
            norm=norm,
            apart=None if apart is None or apart < APART[0] else apart,
            usual=USUAL if usual is None else (usual, usual),
            weight=WEIGHT if weight is None else (weight, weight),
        )


@dataclass(frozen=True, slots=True)
class Penalised:
    """n pairs of vectors with their penalty, in float64."""

    along: Tensor  # (n, WIDTH) unit vectors
    across: Tensor  # (n, WIDTH) unit vectors, orthogonal to them
    apart: Tensor  # (n,) 1 - c
    length: Tensor  # (n,) of the vector that is learned; the other has length 1
    weight: Tensor  # (n,) of the penalty in the loss
    below: Tensor  # (n,) by what the layers below multiply
    usual: Tensor  # (n,) gradient norm of the rest of the loss

    def norm(
        self, form: Form = "log", largest: float = math.inf, eps: float = 0.0, weight: float | None = None
    ) -> Tensor:
        """The gradient norm (n,) of the whole, as if the rest were orthogonal to the penalty."""
        c = 1 - self.apart
        y = c.unsqueeze(-1) * self.along + (self.apart * (1 + c)).sqrt().unsqueeze(-1) * self.across
        with torch.enable_grad():
            x = (self.length.unsqueeze(-1) * self.along).requires_grad_()
            value = penalty(correlation(x, y, eps), form, largest)
            (gradient,) = torch.autograd.grad(value.sum(), x)
        weights = self.weight if weight is None else torch.full_like(self.weight, weight)
        size: Tensor = torch.linalg.vector_norm(gradient, dim=-1)
        return torch.hypot(weights * self.below * size, self.usual)


class Penalty(Mechanism[Penalised]):
    """Pairs of which one quantity is solved, so that the gradient norm is the logged one."""

    dtype = "float64"

    @abstractmethod
    def solved(self, pairs: Penalised, wanted: Tensor, seen: Seen) -> Penalised:
        """`pairs` whose penalty has `wanted` (n,) times the gradient that it has now."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Penalised:
        """Pairs as correlated as logged, or as the mechanism has them."""
        seen, n = self.seen(facts), lab.draws
        along, other = stream.normal((2, n, WIDTH)).double()
        along = along / along.norm(dim=-1, keepdim=True)
        across = other - (other * along).sum(-1, keepdim=True) * along

        def drawn(ends: tuple[float, float]) -> Tensor:
            return stream.between(*ends, (n,)).double()

        pairs = Penalised(
            along=along,
            across=across / across.norm(dim=-1, keepdim=True),
            apart=drawn(ORDINARY if seen.apart is None else (seen.apart, seen.apart)),
            length=drawn(LENGTH),
            weight=drawn(seen.weight),
            below=drawn(BELOW),
            usual=drawn(seen.usual).clamp(max=seen.norm),
        )
        rest = seen.norm * (1 - (pairs.usual / seen.norm).square()).clamp(min=0).sqrt()
        now = (pairs.norm().square() - pairs.usual.square()).clamp(min=0).sqrt()
        return self.solved(pairs, rest / now, seen)

    def observe(self, scenario: Penalised, knobs: Mapping[str, Value]) -> Observed:
        """The gradient `norm`, and the `usual` one."""
        turned = {name: amount(knob, knobs[knob]) for knob, name in KNOBS.items() if knob in knobs}
        form = _form(knobs["penalty"]) if "penalty" in knobs else "log"
        return {"norm": scenario.norm(form, **turned), "usual": scenario.usual}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the norm is the logged one within 5 %."""
        return (observed["norm"] / self.seen(facts).norm - 1).abs() <= TOLERANCE

    def seen(self, facts: Mapping[str, Fact]) -> Seen:
        """What the log shows. PostmortemError without a gradient norm."""
        seen = Seen.of(facts)
        if seen is None:
            raise PostmortemError("needs a gradient norm above 0")
        return seen


class Pole(Penalty):
    """A correlation so near to 1 that the derivative of the penalty explodes."""

    name = "pole"
    title = "the pole of -ln(1 - |c|)"

    def solved(self, pairs: Penalised, wanted: Tensor, seen: Seen) -> Penalised:
        """The correlation; where it is logged, what the layers below multiply by, within their prior."""
        if seen.apart is not None:
            return replace(pairs, below=(pairs.below * wanted).clamp(*BELOW))
        # the gradient is root = sqrt((1 + c) / (1 - c)), times what stays: 1 - c = 2 / (root^2 + 1)
        root = wanted * ((2 - pairs.apart) / pairs.apart).sqrt()
        return replace(pairs, apart=(2 / (root.square() + 1)).clamp(*APART))

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The largest gradient at the logged correlation, or at the last number before 1."""
        seen = self.seen(facts)
        apart = APART[0] if seen.apart is None else seen.apart
        gain = math.sqrt((2 - apart) / apart) / LENGTH[0]
        most = math.hypot(gain * seen.weight[1] * BELOW[1], seen.usual[1])
        if most >= (1 - TOLERANCE) * seen.norm:
            return None
        where = "the last number below 1 in float32" if seen.apart is None else f"1 - |c| = {apart:.2g}"
        return Ceiling(
            most,
            f"{shown(most)} at most, where {shown(seen.norm)} is logged: at {where} the gradient of the penalty is "
            f"sqrt((1 + c) / (1 - c)) / |x|, {shown(gain)} at most, times its weight and the layers below",
        )


class ShortVector(Penalty):
    """A vector that has lost its length: the gradient of any correlation with it is one over that."""

    name = "short_vector"
    title = "a vector of almost no length"

    def solved(self, pairs: Penalised, wanted: Tensor, seen: Seen) -> Penalised:  # noqa: ARG002
        """The length: the gradient grows with one over it."""
        return replace(pairs, length=(pairs.length / wanted).clamp(min=SHORTEST))


class AmplifiedBelow(Penalty):
    """Layers below the penalty that multiply any gradient which reaches them."""

    name = "amplified_below"
    title = "layers below that amplify"

    def solved(self, pairs: Penalised, wanted: Tensor, seen: Seen) -> Penalised:  # noqa: ARG002
        """What they multiply by."""
        return replace(pairs, below=pairs.below * wanted)


def _form(value: Value) -> Form:
    if value not in get_args(Form):
        raise PostmortemError(f"penalty takes one of {', '.join(get_args(Form))}, not {value!r}")
    return cast("Form", value)
