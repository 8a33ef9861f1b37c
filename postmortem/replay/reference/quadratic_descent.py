"""Gradient descent with momentum on a quadratic, its gradient with noise: the smallest model of a learning rate.

Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), for momentum; Cohen
et al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability" (2021), section 2, for
the bound 2 (1 + momentum) / lr on a stable curvature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def warmed_up(lr: float | Tensor, warmup: float, steps: int) -> Tensor:
    """The learning rate of each update, risen linearly to `lr` over `warmup` of them: (steps, n), or (steps, 1)."""
    step = torch.arange(1, steps + 1, dtype=torch.float64).unsqueeze(-1)
    ramp = (step / warmup).clamp(max=1.0) if warmup > 0 else torch.ones_like(step)
    rate = torch.as_tensor(lr, dtype=torch.float64)
    return ramp.to(rate.device) * rate


def descend(start: Tensor, curvature: Tensor, lr: Tensor, momentum: Tensor, noise: Tensor) -> Tensor:
    """The course of n directions, each with the loss 1/2 curvature * x^2, in which v is the velocity.

    v <- momentum * v + curvature * x + noise, then x <- x - lr * v. With constant curvature x shrinks
    where lr * curvature < 2 (1 + momentum), and grows beyond it.

    Args:
        start: x before the first update, shape (n,).
        curvature: at each update, shape (steps, n) or (1, n).
        lr: of each update, shape (steps, n) or (steps, 1).
        momentum: shape (n,), 0 without.
        noise: added to each gradient, shape (steps, n) or (1, n).

    Returns:
        x before each update and after the last, shape (steps + 1, n).
    """
    steps = len(lr)
    shape = (steps, len(start))
    x, velocity, course = start, torch.zeros_like(start), [start]
    for bend, added, rate in zip(curvature.expand(shape), noise.expand(shape), lr.expand(shape), strict=True):
        velocity = momentum * velocity + bend * x + added
        x = x - rate * velocity
        course.append(x)
    return torch.stack(course)
