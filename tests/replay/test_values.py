"""Facts and knobs are what a log or a user wrote: anything may stand there."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay.values import amount, dtype_named, number, shown


@pytest.mark.parametrize(
    ("fact", "expected"), [(-2.5, 2.5), (3, 3.0), (None, None), ("3", None), (math.inf, None), (math.nan, None)]
)
def test_a_fact_is_a_finite_magnitude_or_unknown(fact: float | str | None, expected: float | None) -> None:
    assert number({"n": fact}, "n") == expected
    assert number({}, "n") is None


def test_a_fact_that_is_too_small_to_be_one_is_unknown() -> None:
    assert number({"width": 0.0}, "width", least=2) is None
    assert number({"width": 2.0}, "width", least=2) == 2.0


@pytest.mark.parametrize("value", ["small", None, -1.0, math.nan])
def test_a_knob_that_is_no_amount_is_named(value: float | str | None) -> None:
    with pytest.raises(PostmortemError, match="eps takes a number"):
        amount("eps", value)


def test_amounts() -> None:
    assert amount("eps", "1e-3") == 0.001
    assert amount("eps", 0.0) == 0.0


def test_dtypes_by_either_name() -> None:
    assert dtype_named("bf16") is dtype_named("bfloat16") is torch.bfloat16
    with pytest.raises(PostmortemError, match=r"dtype takes one of bf16, .*, not 'int8'"):
        dtype_named("int8")


@pytest.mark.parametrize(
    ("value", "text"), [(139264.0, "139,264"), (7.7e17, "7.7e+17"), (11.2694, "11.3"), (5e-5, "5e-05")]
)
def test_numbers_as_readers_take_them_in(value: float, text: str) -> None:
    assert shown(value) == text
