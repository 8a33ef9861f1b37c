"""Adding up the gradients of micro batches: without a divisor, by their number, and by their tokens.

Source: the loop of torch's "Automatic Mixed Precision examples", where each micro batch's loss is divided by
their number; dividing by the tokens of all of them is what one large batch under a mean loss does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

Accumulation = Literal["sum", "mean", "token_mean"]


def accumulate(means: Tensor, tokens: Tensor, how: Accumulation) -> Tensor:
    """What k micro batches add up to, of their losses or of their gradients.

    Args:
        means: the mean over the tokens of each micro batch, shape (..., k, p): a gradient of p entries, or the loss.
        tokens: how many each micro batch has, shape (..., k), above 0.
        how: the means are added as they are (`sum`); divided by k (`mean`), so that a token of a short micro batch
            counts more; or weighted by their tokens (`token_mean`), as in one large batch.

    Returns:
        Shape (..., p). `sum` is k times `mean`; `mean` is `token_mean` where all have as many tokens.
    """
    if how == "sum":
        return means.sum(-2)
    if how == "mean":
        return means.mean(-2)
    counts = tokens.to(means.dtype)
    return torch.einsum("...kp,...k->...p", means, counts / counts.sum(-1, keepdim=True))
