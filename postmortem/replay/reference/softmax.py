"""Softmax three times: as it stands in a textbook, as libraries compute it, and safe for rows without an entry.

Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 4.1: softmax(z) = softmax(z - max z). The
safe one does what torch.nn.functional.scaled_dot_product_attention does with a row of which every key is masked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def handwritten_softmax(logits: Tensor) -> Tensor:
    """exp(z_i) / sum_j exp(z_j) over the last dimension of (..., n), rounded in the logits' own dtype.

    exp overflows above the log of the dtype's largest number, 11.09 in fp16 and 88.7 in bf16 and fp32; then the
    result is inf / inf = nan, and 0 for the entries that did not overflow. Where every exp underflows it is 0 / 0.
    """
    weights = logits.exp()
    return weights / weights.sum(-1, keepdim=True)


def stable_softmax(logits: Tensor) -> Tensor:
    """The same with the maximum subtracted: no exp is above 1 and one is 1, so that finite logits give no nan.

    A row of -inf alone is nan all the same: -inf - (-inf).
    """
    return handwritten_softmax(logits - logits.amax(-1, keepdim=True))


def safe_softmax(logits: Tensor) -> Tensor:
    """`stable_softmax`, and 0 in every place of a row of -inf alone, whose gradient is 0 as well.

    The row is replaced before the exponential: to replace its nan afterwards would leave a nan in the gradient.
    """
    empty = (logits == -math.inf).all(-1, keepdim=True)
    return stable_softmax(logits.masked_fill(empty, 0.0)).masked_fill(empty, 0.0)
