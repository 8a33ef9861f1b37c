"""The two cross-entropies against a hand computation, float64, torch's own, and where exp overflows."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from postmortem.replay.reference.cross_entropy import handwritten_cross_entropy, stable_cross_entropy

BOTH = pytest.mark.parametrize("loss", [handwritten_cross_entropy, stable_cross_entropy])


def pair(logit: float, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """One token with that logit against 0; it is the target, then the other one is."""
    return torch.tensor([[logit, 0.0]], dtype=dtype), torch.tensor([0]), torch.tensor([1])


@BOTH
def test_a_hand_worked_token(loss) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - either function
    # exp gives 1 and 3: the target has 3/4.
    logits = torch.tensor([[0.0, math.log(3)]])
    assert loss(logits, torch.tensor([1])).item() == pytest.approx(-math.log(0.75), rel=1e-6)


@BOTH
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_both_agree_with_torch_in_float64(loss, dtype: torch.dtype, tolerance: float) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - either function
    generator = torch.Generator().manual_seed(3)
    logits = 5 * torch.randn(8, 40, dtype=torch.float64, generator=generator)
    targets = torch.randint(40, (8,), generator=generator)
    exact = functional.cross_entropy(logits, targets, reduction="none")
    ours = loss(logits.to(dtype), targets).double()
    torch.testing.assert_close(ours, exact, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("dtype", "below", "above"),
    # ln 65504 = 11.09; ln 3.4e38 = 88.7.
    [(torch.float16, 11.0, 11.125), (torch.bfloat16, 88.0, 89.0), (torch.float32, 88.7, 88.8)],
)
def test_exp_overflows_where_the_dtype_ends(dtype: torch.dtype, below: float, above: float) -> None:
    logits, same, _ = pair(below, dtype)
    assert handwritten_cross_entropy(logits, same).isfinite().all()
    logits, same, other = pair(above, dtype)
    assert handwritten_cross_entropy(logits, same).isnan().all()
    assert handwritten_cross_entropy(logits, other).isinf().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("logit", [12.0, 100.0, 6e4])
def test_the_stable_one_and_torch_stay_finite(dtype: torch.dtype, logit: float) -> None:
    logits, same, other = pair(logit, dtype)
    rounded = logits[0, 0].item()
    for target, expected in ((same, 0.0), (other, rounded)):
        for loss in (stable_cross_entropy(logits, target), functional.cross_entropy(logits, target)):
            assert loss.item() == pytest.approx(expected, abs=1e-4)


def test_an_infinite_logit_is_nan_in_any() -> None:
    logits = torch.tensor([[math.inf, 0.0]])
    for loss in (handwritten_cross_entropy, stable_cross_entropy, functional.cross_entropy):
        assert loss(logits, torch.tensor([0])).isnan().all()
