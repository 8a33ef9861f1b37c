"""Descent on a quadratic against torch's SGD, its edge of stability, and the spread that noise leaves."""

from __future__ import annotations

import pytest
import torch

from postmortem.replay.reference.quadratic_descent import descend, warmed_up

NONE = torch.zeros(1, 1, dtype=torch.float64)


def course(lr_times_curvature: float, momentum: float, steps: int = 400) -> torch.Tensor:
    """From x = 1, with curvature 1."""
    one = torch.ones(1, dtype=torch.float64)
    return descend(one, one.reshape(1, 1), warmed_up(lr_times_curvature, 0, steps), momentum * one, NONE)[:, 0]


def test_hand_worked() -> None:
    # lr 0.5, curvature 1, momentum 0.5: v = 1, x = 0.5; then v = 0.5 + 0.5 = 1, x = 0
    assert course(0.5, 0.5, steps=2).tolist() == [1.0, 0.5, 0.0]


def test_a_warm_up_rises_in_a_line() -> None:
    assert warmed_up(8.0, 4, 6).flatten().tolist() == [2.0, 4.0, 6.0, 8.0, 8.0, 8.0]
    assert warmed_up(8.0, 0, 2).flatten().tolist() == [8.0, 8.0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_it_is_torchs_sgd(dtype: torch.dtype, tolerance: float) -> None:
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(5, dtype=torch.float64, generator=generator)
    curvature = torch.rand(20, 5, dtype=torch.float64, generator=generator)
    noise = torch.randn(20, 5, dtype=torch.float64, generator=generator)
    weight = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.SGD([weight], lr=0.3, momentum=0.9)
    seen = [start]
    for bend, added in zip(curvature, noise, strict=True):
        weight.grad = bend * weight.detach() + added
        optimizer.step()
        seen.append(weight.detach().clone())
    ours = descend(
        start.to(dtype),
        curvature.to(dtype),
        warmed_up(0.3, 0, 20).to(dtype),
        torch.full((5,), 0.9, dtype=dtype),
        noise.to(dtype),
    )
    torch.testing.assert_close(ours.double(), torch.stack(seen), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_grows_beyond_the_edge_and_shrinks_below_it(momentum: float) -> None:
    edge = 2 * (1 + momentum)
    assert course(1.05 * edge, momentum)[-1].abs() > 1e3
    assert course(0.95 * edge, momentum)[-1].abs() < 1e-3


def test_noise_leaves_the_spread_of_an_autoregression() -> None:
    # x <- (1 - a) x - lr * noise, with a = lr * curvature: lr^2 / (1 - (1 - a)^2) for noise of variance 1
    count, steps = 4000, 200
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(steps, count, dtype=torch.float64, generator=generator)
    zeros = torch.zeros(count, dtype=torch.float64)
    last = descend(zeros, torch.full((1, 1), 2.0), warmed_up(0.25, 0, steps), zeros, noise)[-1]
    # the relative standard error of a variance of 4000 values is sqrt(2 / 4000) = 0.022
    assert float(last.var()) == pytest.approx(0.25**2 / (1 - 0.5**2), rel=0.09)
