"""A residual stage, and the most that a stack of them can multiply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def residual_stage(x: Tensor, matrix: Tensor, weight: float | Tensor = 1.0) -> Tensor:
    """f(x) + weight * x with the linear f(x) = x @ matrix: the stage at one operating point.

    `x` is (..., n), `matrix` (..., n, n); `weight` is a number or broadcasts to (..., 1).

    Source: He, Zhang, Ren and Sun, "Identity mappings in deep residual networks" (2016), with their
    constant scaling of the shortcut.
    """
    return (x.unsqueeze(-2) @ matrix).squeeze(-2) + weight * x


def residual_bound(branch_norm: float, weight: float, stages: int) -> float:
    """The most that `stages` residual stages multiply an input or a gradient: (norm + |weight|)^stages.

    `branch_norm` is the largest spectral norm of f's Jacobian. Norms are subadditive, and submultiplicative
    over stages; a transposed Jacobian has the same norm, so one bound serves both directions. It is reached
    where f is a multiple of the identity.

    Source: Horn and Johnson, "Matrix analysis" (2013), section 5.6.
    """
    return (branch_norm + abs(weight)) ** stages
