"""Accumulated gradients against one large batch in torch, and by hand."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from postmortem.replay.reference.gradient_accumulation import Accumulation, accumulate


@pytest.mark.parametrize(
    ("how", "expected"),
    # means 6 of one token and 2 of three: 6 + 2, (6 + 2) / 2, (1 * 6 + 3 * 2) / 4
    [("sum", 8.0), ("mean", 4.0), ("token_mean", 3.0)],
)
def test_hand_worked(how: Accumulation, expected: float) -> None:
    assert accumulate(torch.tensor([[6.0], [2.0]]), torch.tensor([1.0, 3.0]), how).tolist() == [expected]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_by_tokens_it_is_one_large_batch(dtype: torch.dtype, tolerance: float) -> None:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(12, 5, dtype=torch.float64, generator=generator)
    targets = torch.randint(3, (12,), generator=generator)
    weight = torch.randn(3, 5, dtype=torch.float64, generator=generator)

    def gradient(rows: slice, dtype: torch.dtype) -> torch.Tensor:
        leaf = weight.to(dtype).requires_grad_()
        loss = functional.cross_entropy(features[rows].to(dtype) @ leaf.T, targets[rows])
        return torch.autograd.grad(loss, leaf)[0].flatten()

    parts = [slice(0, 1), slice(1, 4), slice(4, 12)]
    means = torch.stack([gradient(part, dtype) for part in parts])
    tokens = torch.tensor([1.0, 3.0, 8.0])
    whole = gradient(slice(0, 12), torch.float64)
    torch.testing.assert_close(accumulate(means, tokens, "token_mean").double(), whole, rtol=tolerance, atol=tolerance)
    assert (accumulate(means, tokens, "mean").double() - whole).norm() > 0.05 * whole.norm()


def test_equal_micro_batches_need_no_tokens() -> None:
    means = torch.randn(7, 4, 3, generator=torch.Generator().manual_seed(2))
    tokens = torch.full((7, 4), 5.0)
    torch.testing.assert_close(accumulate(means, tokens, "mean"), accumulate(means, tokens, "token_mean"))
    torch.testing.assert_close(accumulate(means, tokens, "sum"), 4 * accumulate(means, tokens, "mean"))
