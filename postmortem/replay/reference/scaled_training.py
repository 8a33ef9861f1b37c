"""A training loop in mixed precision, for n networks at once: autocast, loss scaling, clipping, SGD.

Source: the order of the calls is that of torch's "Automatic Mixed Precision examples", with unscale_ before
clip_grad_norm_. Low precision is real: torch.autocast, forward and backward.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import torch

from postmortem.replay.reference.clip_by_norm import clip_by_norm, global_norm
from postmortem.replay.reference.ctc_network import Network, ctc_losses
from postmortem.replay.reference.loss_scaler import LossScaler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from postmortem.replay.reference.ctc_network import Batch

LOW_PRECISION: Final = (torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """How the loop is set and written."""

    dtype: torch.dtype = torch.float16  # of autocast; float32: without
    init_scale: float | None = 65536.0  # None: no loss scaler, hence no step left out
    lr: float = 1e-4
    max_norm: float | None = None  # None: no clipping
    skip_above: float | None = None  # a norm above it, or a nan, is answered by `continue`
    #: Where that `continue` stands: behind update(), or before unscale_, with the norm of the scaled gradient.
    skip: Literal["updated", "scaled"] = "updated"


class Runs(NamedTuple):
    """n networks that are trained side by side, each for itself."""

    network: Network
    data: Sequence[Batch]  # taken in turn
    normalised: Tensor  # (n, 1, 1, 1), see ctc_losses
    loss_weight: Tensor  # (n,), times the sum over the sequences of a batch: the loss
    accumulation: Tensor  # (n,) equal micro batches of which an update sums the gradients, each of its share


class Trace(NamedTuple):
    """What the loop would log of each batch."""

    norm: Tensor  # (batches, n) float32, as the loop sees it, before clipping
    loss: Tensor  # (batches, n) float32
    stepped: Tensor  # (batches, n) bool: the optimizer made a step


def gradients(
    weights: Sequence[Tensor], batch: Batch, normalised: Tensor, loss_weight: Tensor, dtype: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    """The loss (n,), `loss_weight` (n,) times the sum over sequences, and its gradient by each weight (n, ...).

    `weights` are those of a Network in the order of its fields.
    """
    leaves = [weight.detach().requires_grad_() for weight in weights]
    rest = len(Network._fields) - 1
    network = Network(tuple(leaves[:-rest]), *leaves[-rest:])
    low = dtype in LOW_PRECISION
    with torch.autocast(loss_weight.device.type, dtype=dtype if low else torch.bfloat16, enabled=low):
        loss = loss_weight * ctc_losses(network, batch, normalised).sum(1)
    return loss.detach(), list(torch.autograd.grad(loss.sum(), leaves))


def train(runs: Runs, loop: Loop, batches: int, *, until_settled: bool = False) -> Trace:
    """Train for a number of updates, `batches`; with `until_settled` only until each network is.

    A network is settled once it has had a finite norm, or a loss that is not finite.
    """
    network, data, normalised, loss_weight, accumulation = runs
    weights = [*network.convolutions, *network[1:]]
    scaler = LossScaler.start(loss_weight.numel(), loop.init_scale or 1.0, device=str(loss_weight.device))
    seen: list[tuple[Tensor, Tensor, Tensor]] = []
    waiting = torch.ones_like(loss_weight, dtype=torch.bool)
    while len(seen) < batches and not (until_settled and not bool(waiting.any())):
        batch = data[len(seen) % len(data)]
        share = loss_weight * scaler.scale / accumulation
        loss, micro = gradients(weights, batch, normalised, share, loop.dtype)
        scaled = [gradient * _per_network(accumulation, gradient) for gradient in micro]
        unscaled = [gradient * _per_network(1 / scaler.scale, gradient) for gradient in scaled]
        clipped, norm = (
            (unscaled, global_norm(unscaled)) if loop.max_norm is None else clip_by_norm(unscaled, loop.max_norm)
        )
        if loop.skip == "scaled":
            norm = global_norm(scaled)
        skipped = torch.zeros_like(waiting) if loop.skip_above is None else ~(norm <= loop.skip_above)
        overflow = torch.stack([~gradient.isfinite().flatten(1).all(1) for gradient in unscaled]).any(0)
        stepped = ~skipped if loop.init_scale is None else ~(skipped | overflow)
        weights = [
            torch.where(_per_network(stepped, weight), weight - loop.lr * gradient, weight)
            for weight, gradient in zip(weights, clipped, strict=True)
        ]
        seen.append((norm, loss * accumulation / scaler.scale, stepped))
        if loop.init_scale is not None:
            scaler = _updated(scaler, overflow, skipped if loop.skip == "scaled" else None)
        waiting &= ~norm.isfinite() & loss.isfinite()
    return Trace(*(torch.stack(column) for column in zip(*seen, strict=True)))


def _updated(scaler: LossScaler, overflow: Tensor, unseen: Tensor | None) -> LossScaler:
    """The scalers after update(), which those `unseen` (n,) never reach."""
    after = scaler.update(overflow)
    if unseen is None:
        return after
    return replace(
        after,
        scale=torch.where(unseen, scaler.scale, after.scale),
        clean=torch.where(unseen, scaler.clean, after.clean),
    )


def _per_network(values: Tensor, like: Tensor) -> Tensor:
    """`values` (n,) shaped to broadcast over `like` (n, ...)."""
    return values.reshape(-1, *[1] * (like.dim() - 1))
