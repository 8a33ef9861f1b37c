"""The masked mean against a hand computation, torch's own means, and what is left of it at 0 / 0."""

from __future__ import annotations

import pytest
import torch

from postmortem.replay.reference.masked_mean import Masking, masked_mean


@pytest.mark.parametrize("masking", ["selected", "multiplied"])
def test_hand_worked(masking: Masking) -> None:
    values = torch.tensor([[1.0, 2.0, 6.0], [5.0, 7.0, 9.0]])
    counts = torch.tensor([[True, False, True], [False, False, False]])
    mean = masked_mean(values, counts, masking=masking)
    assert mean[0] == 3.5
    assert mean[1].isnan()
    assert masked_mean(values, counts, masking=masking, least=1.0).tolist() == [3.5, 0.0]
    # (1 + 6) / 4: a divisor that is held at 4 does change a mean of two
    assert masked_mean(values, counts, masking=masking, least=4.0).tolist() == [1.75, 0.0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6), (torch.float16, 2e-3)])
def test_it_is_torchs_mean_over_what_counts(dtype: torch.dtype, tolerance: float) -> None:
    generator = torch.Generator().manual_seed(1)
    values = torch.rand(7, 20, generator=generator).to(dtype)
    counts = torch.rand(7, 20, generator=generator) < 0.5
    exact = values.double().masked_fill(~counts, torch.nan).nanmean(-1)
    torch.testing.assert_close(masked_mean(values, counts).double(), exact, rtol=tolerance, atol=tolerance)


def test_over_nothing_torchs_own_loss_is_nan_and_its_gradient_is_zero() -> None:
    logits = torch.zeros(4, 8, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(logits, torch.full((4,), -100))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isnan()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


@pytest.mark.parametrize(("masking", "least", "expected"), [("selected", 0.0, 0.0), ("multiplied", 1.0, 0.0)])
def test_the_gradient_over_nothing_is_zero_where_entries_are_selected_or_the_divisor_is_guarded(
    masking: Masking, least: float, expected: float
) -> None:
    values = torch.ones(4, requires_grad=True)
    (gradient,) = torch.autograd.grad(
        masked_mean(values, torch.zeros(4, dtype=torch.bool), masking=masking, least=least), values
    )
    assert gradient.tolist() == [expected] * 4


def test_the_gradient_over_nothing_is_nan_where_values_are_multiplied_by_the_mask() -> None:
    values = torch.ones(4, requires_grad=True)
    (gradient,) = torch.autograd.grad(
        masked_mean(values, torch.zeros(4, dtype=torch.bool), masking="multiplied"), values
    )
    assert gradient.isnan().all()
