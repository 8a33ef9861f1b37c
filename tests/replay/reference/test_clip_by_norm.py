"""Clipping against torch.nn.utils.clip_grad_norm_, and what it makes of an infinite entry."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.replay.reference.clip_by_norm import clip_by_norm, global_norm


@pytest.mark.parametrize("max_norm", [0.5, 1.0, 100.0])
def test_each_scenario_is_clipped_as_torch_clips_it_alone(max_norm: float) -> None:
    generator = torch.Generator().manual_seed(0)
    size = torch.tensor([1e-3, 1.0, 30.0])
    gradients = [torch.randn(3, 4, 5, generator=generator) * size.reshape(3, 1, 1), torch.randn(3, 2) * size[:, None]]

    clipped, norm = clip_by_norm(gradients, max_norm)

    for scenario in range(3):
        parameters = [torch.nn.Parameter(torch.zeros_like(gradient[scenario])) for gradient in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient[scenario].clone()
        torch.testing.assert_close(norm[scenario], torch.nn.utils.clip_grad_norm_(parameters, max_norm))
        for parameter, one in zip(parameters, clipped, strict=True):
            torch.testing.assert_close(one[scenario], parameter.grad)


def test_the_norm_is_that_before_clipping() -> None:
    clipped, norm = clip_by_norm([torch.tensor([[3.0]]), torch.tensor([[4.0, 0.0]])], max_norm=1.0)

    assert norm.tolist() == [5.0]
    assert torch.cat(clipped, dim=1)[0].tolist() == pytest.approx([0.6, 0.8, 0.0], rel=1e-6)


@pytest.mark.parametrize("max_norm", [0.5, 1.0, 1e6])
def test_no_max_norm_repairs_an_infinite_entry(max_norm: float) -> None:
    (clipped,), norm = clip_by_norm([torch.tensor([[1.0, math.inf, 2.0], [3.0, 4.0, 0.0]])], max_norm)

    assert norm.tolist() == [math.inf, 5.0]
    assert clipped[0, 0] == 0
    assert clipped[0, 1].isnan()
    assert clipped[0, 2] == 0
    assert clipped[1].isfinite().all()


def test_a_norm_is_infinite_before_its_entries_are_where_their_squares_leave_float32() -> None:
    entry = torch.tensor([[1.8e19], [1.9e19]])  # float32 ends at 3.40e38: 1.8e19 squared is 3.24e38, 1.9e19 3.61e38

    assert global_norm([entry, entry.new_zeros(2, 1)]).isfinite().tolist() == [True, False]
