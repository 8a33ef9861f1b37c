"""Each signal against numbers worked out by hand."""

from __future__ import annotations

import math
from statistics import mean, stdev
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem import frames, signals
from postmortem.signals.decomposition import line_fit
from postmortem.signals.precision import significant_bits

if TYPE_CHECKING:
    from collections.abc import Sequence


def tables(**rows: Sequence[dict[str, object]]) -> dict[str, pl.DataFrame]:
    return {name: frames.build(name, rows.get(name, ())) for name in frames.FRAMES}


def metric(name: str, *values: float, steps: Sequence[int] | None = None) -> list[dict[str, object]]:
    places = steps if steps is not None else range(len(values))
    return [
        {"name": name, "value": value, "meaning": "value", "step": step, "line": line}
        for line, (step, value) in enumerate(zip(places, values, strict=True), 1)
    ]


def only(name: str, **rows: Sequence[dict[str, object]]) -> dict[str, object]:
    frame = signals.Signals(tables(**rows)).get(name)
    assert frame is not None
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize("name", signals.names())
def test_an_empty_log_has_no_signal(name: str) -> None:
    frame = signals.Signals(tables()).get(name)
    assert frame is not None
    assert frame.is_empty()
    assert "line" in frame.columns


def test_a_signal_that_does_not_exist_is_none() -> None:
    assert signals.Signals(tables()).get("weather") is None


# 139264 = 17 * 2**13 and -27262976 = -13 * 2**21: 5 and 4 bits; 44241646367277056 needs 24, of 56 digits in base 2
@pytest.mark.parametrize(
    ("whole", "bits"), [(139264, 5), (27262976, 4), (44241646367277056, 24), (1, 1), (0, 0), (2**60, 1), (255, 8)]
)
def test_significant_bits(whole: int, bits: int) -> None:
    assert significant_bits(whole) == bits


@given(st.integers(min_value=1, max_value=2**200), st.integers(min_value=0, max_value=100))
def test_a_power_of_two_adds_no_bits(whole: int, shift: int) -> None:
    assert significant_bits(whole << shift) == significant_bits(whole)


@given(st.floats(min_value=2**24, max_value=2**100, allow_nan=False))
def test_every_float32_needs_at_most_24_bits(value: float) -> None:
    assert significant_bits(int(np.float32(value))) <= 24


@pytest.mark.parametrize(
    ("texts", "dtype"),
    [
        (("-61696", "139264", "-86016", "95232"), "bf16"),  # 241 * 2**8, 17 * 2**13, 21 * 2**12, 93 * 2**10
        (("44,241,646,367,277,056", None), "fp32"),
        (("65472", "32736", "65408", "16376", "65440", "32752"), "fp16"),  # 1023 * 2**k and the like: 10 bits
    ],
)
def test_the_digits_give_the_dtype(texts: Sequence[str | None], dtype: str) -> None:
    rows: list[dict[str, object]] = [
        {"name": "XV", "line": i, "min_text": text, "max_text": None} for i, text in enumerate(texts)
    ]
    assert only("precision", tensors=rows)["dtype"] == dtype


def test_decimals_say_nothing_of_the_dtype() -> None:
    rows: list[dict[str, object]] = [{"name": "XV", "line": 1, "min_text": "-4.25", "max_text": "5.5"}]
    frame = signals.Signals(tables(tensors=rows)).get("precision")
    assert frame is not None
    assert frame.is_empty()


def test_a_line_through_three_points() -> None:
    # y = 2x + 1 with residuals +1, -2, +1 at x = -1, 0, 1: slope 2, s² = 6 / 1, error of the slope sqrt(6 / 2)
    slope, half, intercept = line_fit(np.array([-1.0, 0.0, 1.0]), np.array([0.0, -1.0, 4.0]))
    assert [slope, intercept] == pytest.approx([2.0, 1.0])
    assert half == pytest.approx(12.7062 * math.sqrt(3), rel=1e-4)  # t(1 degree of freedom) = 12.7062


def test_the_weight_of_a_term() -> None:
    # totals are 0.6 * kd + 5: the ratio total / kd is smallest at the last step, 29 / 40
    rows = metric("kd_loss", 20, 30, 40) + metric("loss", 17, 23, 29)
    found = only("decomposition", metrics=rows)
    assert found["weight"] == pytest.approx(0.6)
    assert found["rest"] == pytest.approx(5.0)
    assert found["bound"] == pytest.approx(29 / 40)
    assert found["share"] == pytest.approx(0.6 * 30 / 23)


def test_terms_that_are_printed_together_are_fitted_together() -> None:
    # totals are 0.7 kd + 0.3 lm, and lm follows kd: alone, kd would be given lm's share too
    kd, lm = (10.0, 20.0, 30.0, 45.0, 50.0), (3.0, 5.0, 9.0, 11.0, 16.0)
    totals = [0.7 * k + 0.3 * m for k, m in zip(kd, lm, strict=True)]
    rows = metric("kd_loss", *kd) + metric("lm_loss", *lm) + metric("loss", *totals)
    frame = signals.Signals(tables(metrics=rows)).get("decomposition")
    assert frame is not None
    assert dict(frame.select("term", "weight").iter_rows()) == pytest.approx({"kd_loss": 0.7, "lm_loss": 0.3})


def test_a_fit_that_needs_a_negative_rest_is_not_given() -> None:
    # totals are kd - 5: with weight 1 the rest would be negative, so it was not constant
    rows = metric("kd_loss", 20, 30, 41) + metric("loss", 15, 25, 36)
    frame = signals.Signals(tables(metrics=rows)).get("decomposition")
    assert frame is not None
    assert frame.is_empty()


def test_a_value_within_the_spread_of_those_before_it() -> None:
    values = [28.0, 22.0, 27.6, 27.5, 22.3, 20.0, 28.3]
    frame = signals.Signals(tables(metrics=metric("loss", *values))).get("spread")
    assert frame is not None
    last = frame.filter(pl.col("last")).row(0, named=True)
    half = 2.570582 * stdev(values[:-1]) * math.sqrt(1 + 1 / 6)  # t(5 degrees of freedom), 97.5 %
    assert last["low"] == pytest.approx(mean(values[:-1]) - half, rel=1e-6)
    assert last["high"] == pytest.approx(mean(values[:-1]) + half, rel=1e-6)
    assert (last["before"], last["previous"]) == (6, 20.0)


def test_the_spread_of_a_loss_is_not_that_of_its_parts() -> None:
    whole = metric("loss", *[2.0, 2.5, 2.0, 2.5, 2.0, 2.5])
    parts = [row | {"scope": "part_1"} for row in metric("loss", *[1e-7] * 6)]
    frame = signals.Signals(tables(metrics=[*whole, *parts])).get("spread")
    assert frame is not None
    assert frame["mean"].to_list() == [pytest.approx(2.2)]


def test_a_falling_loss_changes_by_its_slope_over_the_run() -> None:
    found = only("trend", metrics=metric("loss", 10, 8, 6, 4, steps=[0, 100, 200, 300]))
    assert found["change"] == pytest.approx(-6.0)
    assert found["change_low"] == pytest.approx(-6.0)
    assert (found["first_step"], found["last_step"]) == (0, 300)


def test_a_step_that_goes_back_has_no_trend() -> None:
    frame = signals.Signals(tables(metrics=metric("loss", 10, 8, 6, steps=[0, 100, 50]))).get("trend")
    assert frame is not None
    assert frame.is_empty()


def test_where_a_metric_stops_being_finite() -> None:
    found = only("nonfinite", metrics=metric("grad_norm", math.inf, math.inf, 3.0, math.inf, 5.0, 7.0))
    expected = {"kind": "inf", "bad": 3, "printed": 6, "from_start": 2, "from_start_steps": 2, "finite_after": 2}
    assert {key: found[key] for key in expected} == expected
    assert (found["finite_between"], found["usual"]) == (1, 5.0)


def test_a_bar_tells_of_the_training_where_only_the_evaluation_prints_values() -> None:
    bars = [
        {**row, "meaning": "running_mean", "record": 0} for row in metric("loss", 2.0, math.nan, math.nan, math.nan)
    ]
    evaluated = [{**row, "split": "eval", "line": 9, "record": 0} for row in metric("loss", math.nan)]
    frame = signals.Signals(tables(metrics=[*bars, *evaluated])).get("nonfinite")
    assert frame is not None
    assert frame.select("split", "bad").rows() == [("eval", 1), ("train", 3)]


def test_a_step_that_is_printed_twice_counts_once() -> None:
    rows = metric("grad_norm", math.inf, math.inf, math.inf, steps=[0, 0, 1])
    rows[1]["epoch"] = 1.0
    assert only("nonfinite", metrics=rows)["from_start_steps"] == 2
