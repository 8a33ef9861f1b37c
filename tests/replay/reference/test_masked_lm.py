"""The masked-LM loss against hand computations and torch's own."""

from __future__ import annotations

import math
from typing import Literal

import pytest
import torch
from torch.nn import functional

from postmortem.replay.reference.masked_lm import masked_lm_loss


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        # Losses ln 2 in the first sequence, ln 4 twice in the second.
        ("mean", 5 * math.log(2) / 3),
        ("sum", 5 * math.log(2)),
        ("per_sequence", (math.log(2) + math.log(4)) / 2),
    ],
)
def test_hand_worked(reduction: Literal["mean", "sum", "per_sequence"], expected: float) -> None:
    logits = torch.zeros(2, 3, 4, dtype=torch.float64)
    logits[0, 0] = torch.tensor([0.0, 0.0, -math.inf, -math.inf])
    labels = torch.tensor([[1, -100, -100], [-100, 3, 0]])
    assert masked_lm_loss(logits, labels, reduction).item() == pytest.approx(expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_it_agrees_with_torch(reduction: Literal["mean", "sum"], dtype: torch.dtype, tolerance: float) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = 3 * torch.randn(5, 4, 7, 11, dtype=torch.float64, generator=generator)
    labels = torch.randint(11, (5, 4, 7), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.6] = -100
    theirs = [
        functional.cross_entropy(one.flatten(0, 1), label.flatten(), reduction=reduction)
        for one, label in zip(logits, labels, strict=True)
    ]
    ours = masked_lm_loss(logits.to(dtype), labels, reduction).double()
    torch.testing.assert_close(ours, torch.stack(theirs), rtol=tolerance, atol=tolerance)


def test_without_labels_the_mean_is_nan_and_a_sequence_counts_nothing() -> None:
    logits = torch.zeros(2, 3, 4)
    none = torch.full((2, 3), -100)
    assert masked_lm_loss(logits, none, "mean").isnan()
    assert masked_lm_loss(logits, none, "sum").item() == 0
    one = none.clone()
    one[0, 0] = 2
    assert masked_lm_loss(logits, one, "per_sequence").item() == pytest.approx(math.log(4) / 2)
