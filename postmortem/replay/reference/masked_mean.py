"""The mean over those entries that count, and what is left of it and of its gradient where none does.

Source: IEEE 754: 0 / 0 and inf * 0 are nan. torch.nn.functional.cross_entropy with `ignore_index` selects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Masking = Literal["selected", "multiplied"]


def masked_mean(
    values: Tensor, counts: Tensor, *, masking: Masking = "selected", least: float | Tensor = 0.0
) -> Tensor:
    """The sum over the number of the entries of `values` (..., n) where `counts` (..., n) is True: (...).

    Over no entry it is 0 / 0 = nan. Its gradient by the values is 0 where the entries are `selected`, as torch's own
    losses do it: the nan is seen, and reaches no weight. Where the values are `multiplied` by the mask the gradient
    is 1 / 0 * 0 = nan, and so is every weight after the update.

    The divisor is at least `least`, a number or (...): with 1 a mean over nothing is 0, and so is its gradient. That
    changes no other mean, since no other number is below 1.
    """
    kept = values.masked_fill(~counts, 0.0) if masking == "selected" else values * counts
    return kept.sum(-1) / counts.sum(-1).to(values.dtype).clamp(min=least)
