"""Rescaling vectors to a given root mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def rms_rescale(
    x: Tensor, target_rms: float | Tensor, eps: float | Tensor, largest_scale: float | Tensor | None = None
) -> Tensor:
    """Scale to x * target_rms / (rms(x) + eps) over the last dimension, the factor at most `largest_scale`.

    `x` is (..., n) and so is the result; `target_rms` and `eps` are numbers or broadcast to (..., 1). No entry
    is beyond target_rms * sqrt(n). The factor multiplies gradients too: its Jacobian's norm is the factor
    itself, at most target_rms / eps, and at most `largest_scale` where that is given.

    Source: Zhang and Sennrich, "Root mean square layer normalization" (2019), with a scalar target in
    place of the gain vector and eps outside the root.
    """
    rms = x.square().mean(-1, keepdim=True).sqrt()
    scale = target_rms / (rms + eps)
    return x * (scale if largest_scale is None else scale.clamp(max=largest_scale))
