"""Adam's step from its two moments, with its eps, rounded in the dtype in which the moments are held.

Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1; the order of the operations,
and eps beside the root of the corrected moment, are those of torch.optim.Adam.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import torch
from torch import Tensor

BETAS: Final = (0.9, 0.999)


class Moments(NamedTuple):
    """The state of n parameters after `steps` updates."""

    first: Tensor  # (..., n), the running mean of the gradient
    second: Tensor  # (..., n), that of its square
    steps: int = 0

    @classmethod
    def start(cls, like: Tensor) -> Self:
        """No update yet, in the shape and dtype of `like`."""
        return cls(torch.zeros_like(like), torch.zeros_like(like))


def adam_step(
    gradient: Tensor, state: Moments, *, eps: float | Tensor, lr: float = 1.0, betas: tuple[float, float] = BETAS
) -> tuple[Tensor, Moments]:
    """What is added to the parameters (..., n), and the state after it.

    `gradient` is (..., n) in the dtype of the state; `eps` is a number or broadcasts to it. With lr 1 no entry is
    beyond max(1, (1 - beta1) / sqrt(1 - beta2)) (Kingma and Ba, section 2.1), 3.16 with the usual betas, while the
    second moment is right. Where (1 - beta2) g^2 underflows, eps alone divides; where eps is 0 in that dtype as well,
    the step is g / 0 = inf, and 0 / 0 = nan for a gradient of 0.
    """
    beta1, beta2 = betas
    first = state.first.lerp(gradient, 1 - beta1)
    second = (state.second * beta2).addcmul(gradient, gradient, value=1 - beta2)
    steps = state.steps + 1
    root = second.sqrt() / (1 - beta2**steps) ** 0.5
    divisor = root + torch.as_tensor(eps, device=root.device).to(root.dtype)
    step = torch.zeros_like(first).addcdiv(first, divisor, value=-lr / (1 - beta1**steps))
    return step, Moments(first, second, steps)
