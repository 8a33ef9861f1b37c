"""Clipping by the global norm: one factor for all gradients of a network.

Source: Pascanu et al., On the difficulty of training recurrent neural networks, 2013, algorithm 1; the 1e-6
and the returned norm are those of torch.nn.utils.clip_grad_norm_.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def global_norm(gradients: Sequence[Tensor]) -> Tensor:
    """The 2-norm (n,) over all `gradients` (n, ...) of each scenario; inf or nan if an entry is."""
    norms = [torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms), dim=0)
    return norm


def clip_by_norm(gradients: Sequence[Tensor], max_norm: float | Tensor) -> tuple[list[Tensor], Tensor]:
    """The clipped gradients (n, ...) and the norm (n,) *before* clipping, for n scenarios at once.

    `max_norm` is a number or (n,). An infinite norm gives the factor 0, which sends finite entries to 0 and
    infinite ones to nan: no max_norm repairs an overflow.
    """
    norm = global_norm(gradients)
    factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    return [gradient * factor.reshape(-1, *[1] * (gradient.dim() - 1)) for gradient in gradients], norm
