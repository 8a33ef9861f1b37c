"""The penalty with a pole and the bounded one, by hand, by torch, and by autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from postmortem.replay.reference.correlation_penalty import correlation, penalty


def test_hand_worked() -> None:
    # (3, 4) and (4, 3): 24 / 25; -ln(1/25), and (24/25)^2
    c = correlation(torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0]))
    assert c.item() == pytest.approx(0.96)
    assert penalty(c, "log").item() == pytest.approx(math.log(25))
    assert penalty(-c, "square").item() == pytest.approx(0.9216)
    assert penalty(c, "log", 0.5).item() == pytest.approx(math.log(2))
    assert correlation(torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0]), 25.0).item() == pytest.approx(0.48)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_it_agrees_with_torch(dtype: torch.dtype, tolerance: float) -> None:
    x, y = torch.randn(2, 50, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    theirs = functional.cosine_similarity(x, y, dim=-1)
    ours = correlation(x.to(dtype), y.to(dtype))
    torch.testing.assert_close(ours.double(), theirs, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(penalty(ours, "log").double(), -torch.log1p(-theirs.abs()), rtol=1e-4, atol=tolerance)


@pytest.mark.parametrize("c", [0.5, -0.9, 0.999])
def test_its_derivative_is_exp_of_itself(c: float) -> None:
    leaf = torch.tensor(c, dtype=torch.float64, requires_grad=True)
    value = penalty(leaf, "log")
    (slope,) = torch.autograd.grad(value, leaf)
    assert abs(float(slope)) == pytest.approx(math.exp(value.item()))
    (bounded,) = torch.autograd.grad(penalty(leaf, "square"), leaf)
    assert float(bounded) == pytest.approx(2 * c)


def test_the_correlation_softens_the_pole_to_a_root() -> None:
    # |d/dx -ln(1-c)| = sqrt(1 - c^2) / (1 - c) / |x| = sqrt((1 + c) / (1 - c)) / |x|
    angle = 0.01
    x = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(penalty(correlation(x, y), "log"), x)
    c = math.cos(angle)
    assert float(gradient.norm()) == pytest.approx(math.sqrt((1 + c) / (1 - c)) / 2, rel=1e-6)


def test_float32_ends_before_the_pole() -> None:
    nearest = torch.nextafter(torch.tensor(1.0), torch.tensor(0.0))
    assert penalty(nearest, "log").item() == pytest.approx(24 * math.log(2))
    assert penalty(torch.tensor(1.0), "log").item() == math.inf
