"""Standardising against hand computation, float64, and torch's own layer norm."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.replay.reference.standardise import Place, mean, standardise, variance

PLACES: tuple[Place, ...] = ("inside", "outside")


def test_hand_worked_with_eps_outside_the_root() -> None:
    # mean 4, variance (9 + 1 + 1 + 9) / 4 = 5, so that the divisor is sqrt(5) + 1 = 3.2360680
    x = torch.tensor([1.0, 3.0, 5.0, 7.0], dtype=torch.float64)
    expected = torch.tensor([-0.9270510, -0.3090170, 0.3090170, 0.9270510], dtype=torch.float64)
    torch.testing.assert_close(standardise(x, 1.0, place="outside"), expected, atol=1e-7, rtol=0)


def test_hand_worked_with_eps_inside_the_root() -> None:
    # as above, with a divisor of sqrt(5 + 4) = 3
    x = torch.tensor([1.0, 3.0, 5.0, 7.0], dtype=torch.float64)
    expected = torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0], dtype=torch.float64)
    torch.testing.assert_close(standardise(x, 4.0), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_inside_the_root_is_the_layer_norm_of_torch(dtype: torch.dtype) -> None:
    x = 3 + 2 * torch.randn(7, 33, generator=torch.Generator().manual_seed(1), dtype=dtype)
    torch.testing.assert_close(standardise(x, 1e-5), torch.nn.functional.layer_norm(x, (33,), eps=1e-5))


@pytest.mark.parametrize("place", PLACES)
def test_bfloat16_is_float64_within_its_steps(place: Place) -> None:
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(2)).bfloat16()
    exact = standardise(x.double(), 1e-5, place=place)
    torch.testing.assert_close(standardise(x, 1e-5, place=place).double(), exact, rtol=4 * 2**-8, atol=4 * 2**-9)


def test_moments_and_two_passes_agree_in_float64() -> None:
    x = 5 + torch.randn(6, 50, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.testing.assert_close(variance(x, "moments"), variance(x))
    torch.testing.assert_close(variance(x), x.var(-1, correction=0, keepdim=True))


def test_sums_are_made_by_halves() -> None:
    # of 2^24 on float32 counts by twos. First half and second: 2^24 + 1 is 2^24, 1 - 2^24 is exact, and 1 is left; one
    # after the other 2^24 would swallow both ones. Of five the odd one is added last.
    assert mean(torch.tensor([2.0**24, 1.0, 1.0, -(2.0**24)])).tolist() == [0.25]
    assert mean(torch.tensor([2.0**24, 1.0, 1.0, -(2.0**24), 4.0])).tolist() == [1.0]


def test_sixteen_bits_are_summed_in_thirty_two() -> None:
    # 2048 + 1 is 2048 in float16, and 4096 ones would be as many as that
    assert mean(torch.ones(3, 4097, dtype=torch.float16)).tolist() == [[1.0]] * 3


def test_bfloat16_loses_the_variance_of_31_and_33() -> None:
    # 31^2 = 961 and 33^2 = 1089 round to 960 and 1088, in steps of 4 and 8; their mean 1024 is 32^2: nothing is left
    # of a variance of 1. Eps alone divides, and -1 and 1 come out as -2 and 2, where 1 is the bound of two values.
    x = torch.tensor([31.0, 33.0], dtype=torch.bfloat16)
    assert variance(x).tolist() == [1.0]
    assert variance(x, "moments").tolist() == [0.0]
    assert standardise(x, 0.5, place="outside", how="moments").tolist() == [-2.0, 2.0]


def test_what_rounding_leaves_below_zero_is_zero() -> None:
    # In steps of 64, 101^2 = 10201 is 10176 and 103^2 = 10609 is 10624; their mean 10400 is 10368, and 102^2 = 10404
    # is 10432: 64 too little.
    x = torch.tensor([101.0, 103.0], dtype=torch.bfloat16)
    assert float(x.square().mean() - x.mean().square()) == -64.0
    assert variance(x, "moments").tolist() == [0.0]


@pytest.mark.parametrize("n", [2, 10, 257])
def test_a_spike_reaches_the_bound_of_samuelson_and_nothing_passes_it(n: int) -> None:
    # a single 1 among zeros: mean 1/n, variance (n - 1) / n^2, so that its score is sqrt(n - 1)
    spike = torch.eye(1, n, dtype=torch.float64)
    assert float(standardise(spike, 0.0).max()) == pytest.approx(math.sqrt(n - 1))
    x = torch.randn(500, n, generator=torch.Generator().manual_seed(4), dtype=torch.float64) ** 9 * 1e-6
    assert float(standardise(x, 0.0).abs().max()) <= math.sqrt(n - 1) * (1 + 1e-9)


def test_eps_of_each_scenario() -> None:
    x = torch.tensor([[1.0, 3.0], [1.0, 3.0]])
    eps = torch.tensor([[0.0], [1.0]])
    assert standardise(x, eps, place="outside").tolist() == [[-1.0, 1.0], [-0.5, 0.5]]
