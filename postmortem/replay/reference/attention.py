"""Attention up to its weights: logits scaled before or after the product, and masked by a fill or by addition.

Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1: the product is divided by sqrt(d) afterwards.
torch.nn.functional.scaled_dot_product_attention scales before it, and takes both kinds of mask.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

Scaling = Literal["before", "after"]


def attention_logits(query: Tensor, key: Tensor, *, scaling: Scaling = "before") -> Tensor:
    """The logits q . k / sqrt(d) of queries (..., q, d) and keys (..., k, d), in their dtype: (..., q, k).

    Scaled `before`, the query is divided by sqrt(d); `after`, the product is. The two differ where the product
    itself leaves the dtype: in fp16 beyond 65504, which is sqrt(d) times more than the logit that is wanted.
    """
    root = math.sqrt(query.shape[-1])
    if scaling == "before":
        return (query / root) @ key.transpose(-1, -2)
    return query @ key.transpose(-1, -2) / root


def mask_logits(logits: Tensor, mask: Tensor, fill: float | Tensor = -math.inf) -> Tensor:
    """The logits (..., q, k) with `fill` where a boolean `mask` is False, or with a floating `mask` added.

    `mask` broadcasts to (..., q, k); True lets a query see a key, as in torch. A row of which every key has -inf
    is nan after a softmax, and uniform with any finite fill. Two additive masks of the dtype's least number add up
    to -inf where both apply.
    """
    if mask.dtype == torch.bool:
        return torch.where(mask, logits, torch.as_tensor(fill, dtype=logits.dtype, device=logits.device))
    return logits + mask.to(logits.dtype)
