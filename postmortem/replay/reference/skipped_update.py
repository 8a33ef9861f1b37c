"""A loop that leaves batches out on their norm, between unscale_ and update(), on torch's own GradScaler.

Source: torch.amp.GradScaler, which allows one unscale_ per optimizer between two calls of update().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence


def batches_until_error(norms: Sequence[float], skip_above: float) -> tuple[int, str | None]:
    """How many batches are logged, and torch's error that ended the loop: None where none did.

    The loop sees nothing of a gradient but its norm, so that a single weight with these `norms` drives it.
    """
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=1.0)
    for index, norm in enumerate(norms):
        optimizer.zero_grad()
        scaler.scale(weight.sum() * norm).backward()  # type: ignore[no-untyped-call]
        try:
            scaler.unscale_(optimizer)
        except RuntimeError as error:
            return index, str(error)
        if not torch.nn.utils.clip_grad_norm_([weight], 1.0) <= skip_above:
            continue
        scaler.step(optimizer)
        scaler.update()
    return len(norms), None
