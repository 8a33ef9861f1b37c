"""The masked-language-model loss under the three reductions in use.

Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019, section 3.1
(arXiv:1810.04805): cross-entropy at the masked positions only. An unlabelled position carries the label -100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["mean", "sum", "per_sequence"]
IGNORED: Final = -100


def masked_lm_loss(logits: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
    """Cross-entropy over the labelled positions of one batch, in nats.

    Args:
        logits: shape (..., sequences, positions, vocabulary); leading dimensions are independent batches.
        labels: class indices, shape (..., sequences, positions), int64; -100 where there is no label.
        reduction: `mean` over all labelled positions; their `sum`; `per_sequence`: the mean within each
            sequence, then over the sequences, where one without labels counts as 0.

    Returns:
        Shape (...). A `mean` over no labelled position is 0 / 0 = nan, as in torch.
    """
    labelled = labels != IGNORED
    chosen = logits.log_softmax(-1).gather(-1, labels.where(labelled, 0).unsqueeze(-1)).squeeze(-1)
    losses = -chosen.masked_fill(~labelled, 0.0)
    if reduction == "per_sequence":
        return (losses.sum(-1) / labelled.sum(-1).clamp(min=1)).mean(-1)
    total = losses.sum((-2, -1))
    return total if reduction == "sum" else total / labelled.sum((-2, -1))
