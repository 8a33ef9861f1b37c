"""Attention that is not finite: rows of which every key is masked, and products that leave the dtype."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast, get_args

import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.attention import Scaling, attention_logits, mask_logits
from postmortem.replay.reference.softmax import safe_softmax, stable_softmax
from postmortem.replay.values import DTYPES, dtype_named, dtype_of, switched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

POSITIONS: Final = 8
WIDTH: Final = 64
ORDINARY: Final = (0.3, 3.0)
LARGE: Final = (10.0, 100.0)
Masking = Literal["filled with -inf", "-inf added", "filled with the least number"]


@dataclass(frozen=True, slots=True)
class Heads:
    """S causal attentions of one head, in float32, and the dtype in which they run."""

    states: Tensor  # (3, S, positions, width): queries, keys, values
    seen: Tensor  # (S, positions) bool: keys that are no padding
    pull: Tensor  # (S, positions, width), the gradient that comes back to the output
    held: torch.dtype


class Attention(Mechanism[Heads]):
    """Scaled, masked, softmax, values: output and gradient by queries, keys and values."""

    dtype = "of the log, or float16"
    sizes: ClassVar[tuple[float, float]]

    @abstractmethod
    def padding(self, count: int, stream: Stream) -> Tensor:
        """How many keys at the beginning of each of `count` sequences are padding: (count, 1)."""

    @abstractmethod
    def masked(self, logits: Tensor, heads: Heads) -> Tensor:
        """The logits (S, positions, positions) with future keys and padding masked."""

    @abstractmethod
    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """Why this cannot show what the log does; empty where it can."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Heads:
        """Queries and keys of one size a scenario, values and gradients of size 1."""
        shape = (lab.draws, POSITIONS, WIDTH)
        states = stream.normal((3, *shape))
        size = stream.between(*self.sizes, (lab.draws, 1, 1))
        states[:2] *= size
        return Heads(
            states=states,
            seen=torch.arange(POSITIONS, device=stream.device) >= self.padding(lab.draws, stream),
            pull=stream.normal(shape),
            held=dtype_of(facts) or torch.float16,
        )

    def observe(self, scenario: Heads, knobs: Mapping[str, Value]) -> Observed:
        """`overflow` of a logit, `finite` output, `usable` gradient (1, 0), and the `leak`.

        That is the largest weight of a masked key in a row that sees another.
        """
        held = dtype_named(knobs["dtype"]) if "dtype" in knobs else scenario.held
        with torch.enable_grad():
            states = scenario.states.to(held).requires_grad_()
            query, key, value = states.unbind(0)
            logits = attention_logits(query, key, scaling=_scaling(knobs.get("scaling", "after")))
            if "mask_fill" in knobs:
                masked = mask_logits(logits, _allowed(scenario), _fill(knobs["mask_fill"], held))
            else:
                masked = self.masked(logits, scenario)
            weights = (safe_softmax if switched("safe_softmax", knobs.get("safe_softmax", "no")) else stable_softmax)(
                masked
            )
            if switched("nan_to_num", knobs.get("nan_to_num", "no")):
                weights = weights.nan_to_num(0.0)
            output = weights @ value
            (gradient,) = torch.autograd.grad(output, states, scenario.pull.to(held))
        allowed = _allowed(scenario)
        hidden = ~allowed & allowed.any(-1, keepdim=True)
        return {
            "overflow": logits.detach().isinf().flatten(1).any(-1).double(),
            "finite": output.detach().isfinite().flatten(1).all(-1).double(),
            "usable": gradient.isfinite().all(0).flatten(1).all(-1).double(),
            "leak": weights.detach().double().nan_to_num(0.0).where(hidden, 0.0).flatten(1).amax(-1),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the output is nan, after an infinite logit if that is what the log shows."""
        shown = observed["finite"] == 0
        if facts.get("kind") == "inf":
            shown &= observed["overflow"] > 0
        return torch.zeros_like(shown) if self.excluded(facts) else shown

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """A law that excludes the mechanism."""
        excluded = self.excluded(facts)
        return Ceiling(value=0.0, because=excluded) if excluded else None


class MaskedRow(Attention):
    """Padding at the beginning leaves the first rows of a causal attention without a key."""

    name = "masked_row"
    title = "a row of which every key is masked"
    sizes = ORDINARY

    def __init__(self, masking: Masking) -> None:
        self.family = masking

    def padding(self, count: int, stream: Stream) -> Tensor:
        """One position at least, and not all."""
        return stream.integers(1, POSITIONS, (count, 1))

    def masked(self, logits: Tensor, heads: Heads) -> Tensor:
        """As the family does it."""
        allowed = _allowed(heads)
        if self.family == "-inf added":
            return mask_logits(logits, torch.zeros_like(logits).masked_fill(~allowed, -math.inf))
        least = torch.finfo(logits.dtype).min
        return mask_logits(logits, allowed, -math.inf if self.family == "filled with -inf" else least)

    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """By a fill that is finite, or by what a softmax of -inf is not."""
        if facts.get("kind") == "inf":
            return "a softmax over -inf alone is nan, and the log shows inf"
        if self.family == "filled with the least number":
            return "equal finite logits give equal weights: the row is uniform over keys that it must not see, not nan"
        return ""


class OverflowedProduct(Attention):
    """Every row sees a key, and the product of query and key leaves the dtype before it is scaled."""

    name = "overflowed_product"
    title = "a product of query and key beyond the dtype"
    sizes = LARGE

    def padding(self, count: int, stream: Stream) -> Tensor:
        """None."""
        return torch.zeros(count, 1, device=stream.device)

    def masked(self, logits: Tensor, heads: Heads) -> Tensor:
        """Filled with -inf."""
        return mask_logits(logits, _allowed(heads))

    def excluded(self, facts: Mapping[str, Fact]) -> str:
        """By a dtype that holds the product of any activations."""
        held = dtype_of(facts) or torch.float16
        largest = torch.finfo(held).max
        # Five standard deviations in every entry of both: none of the draws comes near it.
        most = WIDTH * (5 * LARGE[1]) ** 2
        if most >= largest:
            return ""
        return f"queries and keys of size {LARGE[1]:g} give {most:.2g} at most, and {_name(held)} holds {largest:.2g}"


def _causal(like: Tensor) -> Tensor:
    """Which key each query may see of those before it, on the device of `like`: (positions, positions)."""
    return torch.ones(POSITIONS, POSITIONS, dtype=torch.bool, device=like.device).tril()


def _allowed(heads: Heads) -> Tensor:
    """Which key each query sees: (S, positions, positions)."""
    return heads.seen.unsqueeze(-2) & _causal(heads.seen)


def _scaling(value: Value) -> Scaling:
    if value not in get_args(Scaling):
        raise PostmortemError(f"scaling takes one of {', '.join(get_args(Scaling))}, not {value!r}")
    return cast("Scaling", value)


def _fill(value: Value, held: torch.dtype) -> float:
    """The number that masked logits are set to; `min` is the least of the dtype."""
    if value == "min":
        return torch.finfo(held).min
    if not isinstance(value, int | float) or math.isnan(value) or value >= 0:
        raise PostmortemError(f"mask_fill takes a number below 0, or min, not {value!r}")
    return float(value)


def _name(held: torch.dtype) -> str:
    return next(name for name, dtype in DTYPES.items() if dtype == held)
