"""Dynamic loss scaling: the state machine that looks for the largest scale that does not overflow.

Source: Micikevicius et al., Mixed Precision Training, 2018, section 3.2; the defaults and the order of the
checks are those of torch.amp.GradScaler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class LossScaler:
    """Independent scalers, one a scenario.

    Attributes:
        scale: (n,) float32, what the loss is multiplied by.
        clean: (n,) int64, steps without an overflow since the scale last changed.
        growth_interval: clean steps after which the scale grows.
    """

    scale: Tensor
    clean: Tensor
    growth_interval: int = 2000
    growth: float = 2.0
    backoff: float = 0.5

    @classmethod
    def start(cls, count: int, init_scale: float = 65536.0, growth_interval: int = 2000, device: str = "cpu") -> Self:
        """`count` scalers in their initial state."""
        return cls(
            scale=torch.full((count,), init_scale, device=device),
            clean=torch.zeros(count, dtype=torch.int64, device=device),
            growth_interval=growth_interval,
        )

    def update(self, overflow: Tensor) -> Self:
        """The state after one step; `overflow` (n,) says where a gradient was inf or nan: no step was made."""
        clean = torch.where(overflow, 0, self.clean + 1)
        grows = clean == self.growth_interval
        grown = self.scale * self.growth
        # A scale that would itself overflow stays, as in torch.
        kept = torch.where(grows & grown.isfinite(), grown, self.scale)
        return type(self)(
            scale=torch.where(overflow, self.scale * self.backoff, kept),
            clean=torch.where(grows, 0, clean),
            growth_interval=self.growth_interval,
            growth=self.growth,
            backoff=self.backoff,
        )
