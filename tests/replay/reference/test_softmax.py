"""The three softmaxes against a hand computation, float64, torch's own, and where they differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.replay.reference.softmax import handwritten_softmax, safe_softmax, stable_softmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

ALL = pytest.mark.parametrize("softmax", [handwritten_softmax, stable_softmax, safe_softmax])


@ALL
def test_hand_worked(softmax: Callable[[Tensor], Tensor]) -> None:
    # exp gives 1, 3 and 4, which add up to 8
    logits = torch.tensor([[0.0, math.log(3), math.log(4)]], dtype=torch.float64)
    assert softmax(logits)[0].tolist() == pytest.approx([1 / 8, 3 / 8, 1 / 2])


@ALL
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.half, 0.004)])
def test_it_is_torchs_own_in_float64_within_the_steps_of_the_dtype(
    softmax: Callable[[Tensor], Tensor], dtype: torch.dtype, tolerance: float
) -> None:
    logits = (3 * torch.randn(6, 30, generator=torch.Generator().manual_seed(1))).to(dtype)
    exact = logits.double().softmax(-1)
    torch.testing.assert_close(softmax(logits).double(), exact, rtol=tolerance, atol=tolerance)


def test_only_that_by_hand_overflows() -> None:
    # ln 65504 = 11.09
    logits = torch.tensor([[12.0, 0.0]], dtype=torch.float16)
    assert handwritten_softmax(logits)[0, 0].isnan()
    assert handwritten_softmax(logits)[0, 1] == 0
    assert stable_softmax(logits)[0].tolist() == [1.0, pytest.approx(math.exp(-12), rel=0.01)]
    assert handwritten_softmax(torch.tensor([[-20.0, -20.0]], dtype=torch.float16)).isnan().all()  # both exp are 0
    assert stable_softmax(torch.tensor([[-20.0, -20.0]], dtype=torch.float16)).tolist() == [[0.5, 0.5]]


def test_a_row_of_minus_infinity_is_nan_but_in_the_safe_one() -> None:
    logits = torch.tensor([[-math.inf, -math.inf], [0.0, -math.inf]], requires_grad=True)
    assert handwritten_softmax(logits)[0].isnan().all()
    assert stable_softmax(logits)[0].isnan().all()
    weights = safe_softmax(logits)
    assert weights.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    weights.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
