"""Rescaling against hand computation, float64, torch's own RMS norm, and its own bound on gradients."""

from __future__ import annotations

import pytest
import torch

from postmortem.replay.reference.rms_rescale import rms_rescale


def test_hand_worked() -> None:
    # the RMS of 1 and 7 is sqrt(50 / 2) = 5; with eps 5 and a target of 20 the factor is 2
    assert rms_rescale(torch.tensor([1.0, 7.0]), 20.0, 5.0).tolist() == [2.0, 14.0]


def test_a_limited_factor() -> None:
    assert rms_rescale(torch.tensor([1.0, 7.0]), 20.0, 5.0, 1.5).tolist() == [1.5, 10.5]
    assert rms_rescale(torch.tensor([1.0, 7.0]), 20.0, 5.0, 3.0).tolist() == [2.0, 14.0]


def test_is_the_rms_norm_of_torch_times_the_target() -> None:
    x = torch.randn(9, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(rms_rescale(x, 3.0, 0.0), 3 * torch.nn.functional.rms_norm(x, (40,), eps=0.0))


@pytest.mark.parametrize(("dtype", "step"), [(torch.float32, 2**-23), (torch.bfloat16, 2**-7)])
def test_is_float64_within_the_steps_of_the_dtype(dtype: torch.dtype, step: float) -> None:
    x = torch.randn(9, 40, generator=torch.Generator().manual_seed(2)).to(dtype)
    exact = rms_rescale(x.double(), 3.0, 1e-8)
    torch.testing.assert_close(rms_rescale(x, 3.0, 1e-8).double(), exact, rtol=4 * step, atol=0)


@pytest.mark.parametrize(("limit", "bound"), [(None, 5.0 / (1e-3 + 1e-8)), (1.5, 1.5)])
def test_the_norm_of_its_jacobian_is_the_factor(limit: float | None, bound: float) -> None:
    x = torch.randn(12, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    x = 1e-3 * x / x.square().mean().sqrt()
    jacobian = torch.func.jacrev(lambda x: rms_rescale(x, 5.0, 1e-8, limit))(x)
    assert float(torch.linalg.matrix_norm(jacobian, 2)) == pytest.approx(bound)
