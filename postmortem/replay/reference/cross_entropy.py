"""Cross-entropy twice: with a softmax as it stands in a textbook, and as libraries compute it.

Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, sections 4.1 (overflow of a softmax, and why
the maximum is subtracted) and 6.2.2.3 (cross-entropy of a softmax). Both work in the logits' own dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.replay.reference.softmax import handwritten_softmax

if TYPE_CHECKING:
    from torch import Tensor


def handwritten_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-log(exp(z_y) / sum_j exp(z_j)) in nats, computed in that order.

    exp overflows above the log of the dtype's largest number: 11.09 in fp16, 88.7 in bf16 and fp32. Then
    the loss is nan (inf / inf) where the target's own exp overflows, and inf (-log 0) where another's does.

    Args:
        logits: z, shape (..., vocabulary).
        targets: class indices y, shape (...), int64.

    Returns:
        Shape (...), in the dtype of the logits.
    """
    return -handwritten_softmax(logits).gather(-1, targets.unsqueeze(-1)).squeeze(-1).log()


def stable_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """log(sum_j exp(z_j - m)) - (z_y - m) with m = max z: no exp is above 1, so that none overflows.

    Takes and returns what `handwritten_cross_entropy` does. It is finite for finite logits whose spread is
    finite in their dtype.
    """
    shifted = logits - logits.amax(-1, keepdim=True)
    return shifted.exp().sum(-1).log() - shifted.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
