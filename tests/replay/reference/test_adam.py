"""Adam's step against torch.optim.Adam, a hand computation, and where its eps and its second moment are 0."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.replay.reference.adam import Moments, adam_step


def steps_of_torch(gradients: torch.Tensor, eps: float) -> torch.Tensor:
    """What torch's own optimizer adds to parameters at 0, held there, for gradients (steps, n)."""
    parameter = torch.nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = torch.optim.Adam([parameter], lr=0.5, eps=eps, foreach=False)
    added = []
    for gradient in gradients:
        parameter.data.zero_()
        parameter.grad = gradient.clone()
        optimizer.step()
        added.append(parameter.detach().clone())
    return torch.stack(added)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("eps", [1e-8, 1e-3])
def test_it_makes_the_steps_that_torch_makes(dtype: torch.dtype, eps: float) -> None:
    gradients = torch.randn(5, 40, generator=torch.Generator().manual_seed(1)).to(dtype)
    state, ours = Moments.start(gradients[0]), []
    for gradient in gradients:
        step, state = adam_step(gradient, state, eps=eps, lr=0.5)
        ours.append(step)
    torch.testing.assert_close(torch.stack(ours), steps_of_torch(gradients, eps))
    assert state.steps == 5


def test_hand_worked() -> None:
    # After 3: m = 0.3 and v = 0.009, corrected 3 and 9: 3 / (3 + 1). After 1 more: m = 0.27 + 0.1 = 0.37, corrected by
    # 1 - 0.81: 1.947368; v = 0.008991 + 0.001 = 0.009991, corrected by 1 - 0.998001: 4.997999, its root 2.235621.
    first, state = adam_step(torch.tensor([3.0]).double(), Moments.start(torch.zeros(1).double()), eps=1.0)
    second, state = adam_step(torch.tensor([1.0]).double(), state, eps=1.0)
    assert first.tolist() == pytest.approx([-0.75])
    assert second.tolist() == pytest.approx([-1.947368 / 3.235621], rel=1e-6)


def test_the_first_step_is_as_long_as_the_learning_rate_whatever_the_gradient() -> None:
    gradient = torch.tensor([1e-4, 1.0, 1e4], dtype=torch.float64)
    assert adam_step(gradient, Moments.start(gradient), eps=0.0)[0].tolist() == pytest.approx([-1.0] * 3)


def test_in_float16_the_square_underflows_and_eps_is_zero() -> None:
    # 0.001 g^2 is below 2.98e-8 for g below 5.46e-3; an eps of 1e-8 is 0, one of 1e-4 divides alone: 0.005 / 0.0001
    gradient = torch.tensor([0.0, 5e-3, 6e-3], dtype=torch.float16)
    nothing, alone, kept = adam_step(gradient, Moments.start(gradient), eps=1e-8)[0].tolist()
    assert math.isnan(nothing)
    assert alone == -math.inf
    assert math.isfinite(kept)
    nothing, alone, _ = adam_step(gradient, Moments.start(gradient), eps=1e-4)[0].tolist()
    assert (nothing, alone) == (0.0, pytest.approx(-50.0, rel=0.01))
    exact = adam_step(gradient.float(), Moments.start(gradient.float()), eps=1e-8)[0]
    assert exact.tolist() == pytest.approx([0.0, -1.0, -1.0], rel=1e-3)
