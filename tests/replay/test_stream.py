"""The random numbers of a seed: their distributions, and that neither blocks nor devices change them."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
import torch

from postmortem.replay import stream as module
from postmortem.replay.stream import Stream
from postmortem.replay.threefry import threefry

N = 200_000


def test_uniform_numbers_are_the_upper_bits_of_the_words() -> None:
    # seed 7 and the first call are the key; three numbers take two counters, whose first words come first
    one, other = threefry((7, 1), 0, 2)
    words = [word & 0xFFFFFFFF for word in (*one.tolist(), *other.tolist())]
    assert Stream(7).uniform((3,)).tolist() == [(word >> 8) / 2**24 for word in words[:3]]


def test_uniform_numbers_are_even_and_below_one() -> None:
    drawn = Stream(1).uniform((N,)).double()
    assert 0 <= float(drawn.min()) < float(drawn.max()) < 1
    counts = (drawn * 10).long().bincount(minlength=10)
    # chi-squared with 9 degrees of freedom is above 27.9 once in a thousand
    assert float(((counts - N / 10) ** 2 / (N / 10)).sum()) < 27.9


def test_normal_numbers_have_the_quantiles_of_the_normal_distribution() -> None:
    drawn = Stream(2).normal((N,)).double().sort().values
    for share in (0.001, 0.02275, 0.5, 0.84134, 0.999):
        expected = NormalDist().inv_cdf(share)
        error = math.sqrt(share * (1 - share) / N) / NormalDist().pdf(expected)
        assert float(drawn[round(share * N)]) == pytest.approx(expected, abs=4 * error)
    assert float(drawn.mean()) == pytest.approx(0.0, abs=4 / math.sqrt(N))
    assert float(drawn.square().mean()) == pytest.approx(1.0, abs=4 * math.sqrt(2 / N))


def test_the_largest_normal_number_is_finite() -> None:
    # the middle of the last of 2^24 equal parts of probability: 1 - 2^-25
    largest = NormalDist().inv_cdf(1 - 2**-25)
    assert largest == pytest.approx(5.42, abs=0.01)
    assert float(Stream(3).normal((4_000_000,)).abs().max()) <= largest * 1.001


def test_numbers_of_two_calls_and_of_two_seeds_are_not_related() -> None:
    stream = Stream(4)
    rows = torch.stack(
        [stream.normal((N,)), stream.normal((N,)), Stream(5).normal((N,)), Stream(4 + 2**32).normal((N,))]
    )
    related = torch.corrcoef(rows.double()) - torch.eye(4, dtype=torch.float64)
    assert float(related.abs().max()) < 5 / math.sqrt(N)
    halves = rows[0].double().reshape(2, -1)
    assert abs(float((halves[0] * halves[1]).mean())) < 5 / math.sqrt(N / 2)


def test_integers_reach_both_ends_evenly() -> None:
    drawn = Stream(6).integers(3, 7, (N,))
    counts = drawn.bincount(minlength=7)
    assert counts[:3].tolist() == [0, 0, 0]
    # chi-squared with 3 degrees of freedom is above 16.3 once in a thousand
    assert float(((counts[3:] - N / 4) ** 2 / (N / 4)).sum()) < 16.3
    assert (drawn.dtype, int(drawn.max())) == (torch.int64, 6)


def test_numbers_between_two_ends_are_log_uniform() -> None:
    drawn = Stream(0).between(1e-8, 1e-4, (20_000,)).double()
    assert float(drawn.min()) >= 0.999e-8
    assert float(drawn.max()) <= 1.001e-4
    # a decade of four holds a quarter, within 4 standard errors of sqrt(0.25 * 0.75 / 20000) = 0.0031
    assert float((drawn < 1e-7).double().mean()) == pytest.approx(0.25, abs=0.0125)


def test_ends_that_are_one_are_a_constant() -> None:
    assert Stream(0).between(0.0, 0.0, (3,)).tolist() == [0.0, 0.0, 0.0]
    assert Stream(0).between(1e300, 1e300, (2,)).tolist() == [torch.finfo(torch.float32).max] * 2


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (2, 3, 5), (1001,)])
def test_blocks_change_no_number(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Stream(8).uniform(shape)
    monkeypatch.setattr(module, "_BLOCK", 3)
    assert torch.equal(Stream(8).uniform(shape), whole)
    assert whole.shape == shape


def test_numbers_are_made_on_the_device() -> None:
    # the device `meta` holds shapes and no values: what is there was made there, on any machine
    stream = Stream(9, "meta")
    drawn = [stream.uniform((3,)), stream.normal((3,)), stream.integers(0, 5, (3,)), stream.between(1.0, 2.0, (3,))]
    assert [one.device.type for one in (*drawn, stream.between(1.0, 1.0, (3,)))] == ["meta"] * 5
