"""Layer norm against a hand computation, float64 and torch's own, and where its eps is 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.replay.reference.layer_norm import layer_norm

if TYPE_CHECKING:
    from postmortem.replay.reference.standardise import Place


def test_hand_worked_on_either_side_of_the_root() -> None:
    # mean 4 and variance 5: sqrt(5 + 4) = 3 inside, sqrt(5) + 1 = 3.2360680 outside; then times 2, plus 1
    x = torch.tensor([1.0, 3.0, 5.0, 7.0], dtype=torch.float64)
    inside = layer_norm(x, 4.0, weight=2.0, bias=1.0)
    assert inside.tolist() == pytest.approx([-1.0, 1 / 3, 5 / 3, 3.0])
    outside = layer_norm(x, 1.0, weight=2.0, bias=1.0, place="outside")
    assert outside.tolist() == pytest.approx([-0.8541020, 0.3819660, 1.6180340, 2.8541020])


def test_it_is_torchs_own() -> None:
    generator = torch.Generator().manual_seed(1)
    x, weight, bias = (torch.randn(*shape, 12, generator=generator, dtype=torch.float64) for shape in ((5,), (), ()))
    expected = torch.nn.functional.layer_norm(x, (12,), weight, bias, eps=1e-5)
    torch.testing.assert_close(layer_norm(x, 1e-5, weight=weight, bias=bias), expected)


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_bfloat16_is_float64_within_its_steps(place: Place) -> None:
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(2)).bfloat16()
    exact = layer_norm(x.double(), 1e-5, weight=2.0, bias=1.0, place=place)
    ours = layer_norm(x, 1e-5, weight=2.0, bias=1.0, place=place)
    torch.testing.assert_close(ours.double(), exact, rtol=4 * 2**-8, atol=8 * 2**-8)


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_without_spread_it_is_the_bias_until_eps_is_zero_in_the_dtype(place: Place) -> None:
    # half of fp16's least number is 2.98e-8: below it an eps is 0
    flat = torch.full((1, 8), 3.0, dtype=torch.float16)
    assert layer_norm(flat, 3.1e-8, bias=0.5, place=place).tolist() == [[0.5] * 8]
    assert layer_norm(flat, 2.9e-8, bias=0.5, place=place).isnan().all()
    assert layer_norm(flat.float(), 2.9e-8, bias=0.5, place=place).tolist() == [[0.5] * 8]
