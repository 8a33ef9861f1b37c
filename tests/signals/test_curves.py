"""Curves and what is said of them, against numbers worked out by hand."""

from __future__ import annotations

from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.signals._curves import curves, noise, theil_sen, thin
from postmortem.signals.repeats import significant_digits
from tests.signals.test_signals import metric, only, tables

if TYPE_CHECKING:
    from collections.abc import Sequence


def values_of(*rows: dict[str, object]) -> list[list[float]]:
    return [curve.values.tolist() for curve in curves(tables(metrics=rows), losses=True)]


def test_a_counter_that_starts_again_ends_a_curve() -> None:
    assert values_of(*metric("loss", 3.0, 2.0, 1.0, 2.5, 2.0, steps=[1, 2, 3, 1, 2])) == [[3.0, 2.0, 1.0], [2.5, 2.0]]


def test_a_step_that_is_printed_late_does_not() -> None:
    assert values_of(*metric("loss", 3.0, 2.0, 1.0, 0.9, steps=[10, 12, 11, 13])) == [[3.0, 2.0, 1.0, 0.9]]


def test_counters_that_start_again_after_equal_lengths_count_batches() -> None:
    steps = [0, 50, 100] * 3
    assert values_of(*metric("loss", *range(9), steps=steps)) == [list(map(float, range(9)))]


def test_where_epochs_are_all_that_counts_they_end_a_curve() -> None:
    rows = metric("loss", 3.0, 2.0, 1.0, 3.5, 2.5, steps=[469] * 5)  # as a bar shows it when it is full
    counted = [row | {"epoch": epoch} for row, epoch in zip(rows, [1.0, 2.0, 3.0, 1.0, 2.0], strict=True)]
    assert values_of(*counted) == [[3.0, 2.0, 1.0], [3.5, 2.5]]


def test_trainings_of_two_epochs_each_are_a_curve_each() -> None:
    rows = metric("loss", 3.0, 2.9, 2.0, 3.2, 2.2, 2.1, steps=[7] * 6)
    counted = [row | {"epoch": epoch} for row, epoch in zip(rows, [1.0, 1.0, 2.0, 1.0, 2.0, 2.0], strict=True)]
    assert values_of(*counted) == [[3.0, 2.9, 2.0], [3.2, 2.2, 2.1]]


def test_one_value_behind_a_course_is_what_it_was_at_its_best() -> None:
    course = [float(value) for value in range(12, 1, -1)]
    rounds = [10 * at for at in range(1, 12)]
    assert values_of(*metric("logloss", *course, 5.0, steps=[*rounds, 35])) == [course]
    # two of them are the beginning of another
    assert values_of(*metric("logloss", *course, 5.0, 4.0, steps=[*rounds, 10, 20])) == [course, [5.0, 4.0]]


def test_a_bar_that_repeats_its_state_is_counted_once() -> None:
    assert values_of(*metric("loss", 3.0, 3.0, 2.0, steps=[1, 1, 2])) == [[3.0, 2.0]]


def test_values_come_before_running_means_and_one_rank_stands_for_all() -> None:
    rows = metric("loss", 3.0, 2.0, 1.5, 1.0)
    rows[1]["meaning"] = "running_mean"
    rows[2]["rank"] = 1
    rows[3]["rank"] = 0
    assert values_of(*rows) == [[3.0, 1.0]]


@pytest.mark.parametrize(
    ("names", "objective"),
    [(["loss"], True), (["loss", "kd_loss"], True), (["loss", "reward"], False), (["loss", "d_loss"], False)],
)
def test_a_loss_is_an_objective_unless_there_is_a_game(names: Sequence[str], *, objective: bool) -> None:
    rows = [row for name in names for row in metric(name, 3.0, 2.0)]
    first = next(curves(tables(metrics=rows), ["loss"]))
    assert first.objective is objective


# slopes of the pairs of (0, 0), (1, 1), (2, 2), (3, 9): 1, 1, 3, 1, 4, 7; their median is 2
def test_theil_sen_is_the_median_slope() -> None:
    slope, low, high = theil_sen(np.arange(4.0), np.array([0.0, 1.0, 2.0, 9.0]))
    assert slope == 2.0
    assert (low, high) == (1.0, 7.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30))
def test_theil_sen_is_what_its_definition_says(ys: list[float]) -> None:
    slope, low, high = theil_sen(np.arange(float(len(ys))), np.array(ys))
    expected = median((b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(ys), 2))
    assert slope == pytest.approx(expected, abs=1e-6)
    assert low <= slope <= high


def test_theil_sen_covers_the_true_slope_in_about_19_of_20_samples() -> None:
    draw, x = np.random.default_rng(0), np.linspace(0, 1, 40)
    inside = 0
    for _ in range(200):
        _, low, high = theil_sen(x, 3 * x + draw.normal(size=40))
        inside += low <= 3 <= high
    assert 182 <= inside <= 198  # 190 +- 2.6 standard deviations


def test_noise_is_that_of_independent_values_and_none_of_a_straight_course() -> None:
    draw = np.random.default_rng(0).normal(scale=2.0, size=20_000)
    assert noise(draw) == pytest.approx(2.0, rel=0.03)
    assert noise(draw + np.arange(20_000)) == pytest.approx(2.0, rel=0.03)
    assert noise(np.arange(10.0)) == 0.0


def test_thinning_keeps_medians_of_equal_runs() -> None:
    x, y = thin(np.arange(1000.0))
    assert len(x) == 200
    assert y[:2].tolist() == [2.0, 7.0]  # medians of 0..4 and 5..9


def test_drift_gives_levels_and_change() -> None:
    row = only("drift", metrics=metric("loss", 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0))
    assert (row["first"], row["last"], row["start"], row["end"]) == (9.0, 0.0, 8.0, 1.0)
    assert (row["change"], row["change_low"], row["change_high"]) == pytest.approx((-9.0, -9.0, -9.0))
    assert (row["zeros"], row["different"], row["batch_noise"]) == (1, 10, 0.0)


def test_the_turn_is_at_the_lowest_value_and_the_rise_is_counted_from_its_course() -> None:
    # the course (median of three) is lowest at 2.0: of (3, 1, 2) and (1, 2, 4); the last three values have the median 8
    row = only("turning", metrics=metric("loss", 9.0, 7.0, 5.0, 3.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0))
    assert (row["line"], row["low"], row["end"], row["rise"], row["after"]) == (5, 2.0, 8.0, 6.0, 5)
    assert row["share_above"] == 1.0
    # the later half of 2, 4, 6, 8, 10 is 6, 8, 10, and its tenth part lies a fifth of the way from 6 to 8
    assert row["later_low"] == pytest.approx(6.4)


def test_what_boosted_trees_minimise_is_an_objective() -> None:
    assert only("drift", metrics=metric("logloss", 0.69, 0.5, 0.4, 0.3, 0.2))["objective"]
    assert not only("drift", metrics=metric("aux_loss", 5.0, 4.0, 3.0, 2.0, 1.0))["objective"]


def test_a_spike_has_a_height_a_length_and_an_end() -> None:
    row = only("spikes", metrics=metric("loss", *[2.0, 2.2] * 6, 9.0, 8.0, 2.1, 2.2))
    # of twelve values 2.0 and 2.2 the median is 2.1
    assert (row["line"], row["value"], row["length"], row["recovered"]) == (13, 9.0, 2, True)
    assert row["usual"] == pytest.approx(2.1)
    assert row["ratio"] == pytest.approx(9 / 2.1)


def test_a_spike_with_nothing_but_zeros_behind_it_has_no_end() -> None:
    row = only("spikes", metrics=metric("loss", *[2.0, 2.2] * 6, 9.0, 0.0, 0.0))
    assert (row["line"], row["length"], row["recovered"]) == (13, 3, False)
    back = only("spikes", metrics=metric("loss", *[2.0, 2.2] * 6, 9.0, 0.0, 2.1))
    assert (back["length"], back["recovered"]) == (2, True)


def test_a_rise_from_below_zero_is_no_spike() -> None:
    frame = tables(metrics=metric("loss", *[-2.0, -2.2] * 6, 9.0, -2.1))
    from postmortem.signals import spikes

    assert spikes.compute(frame).is_empty()


def test_values_next_to_the_largest_float_are_no_spike_and_warn_of_nothing() -> None:
    frame = tables(metrics=metric("loss", *[1e306, 1.7e308] * 12))
    from postmortem.signals import spikes

    assert spikes.compute(frame).is_empty()


def test_extremes_name_the_lines() -> None:
    row = only("extremes", metrics=metric("loss", 3.0, float("nan"), -1.0, 7.0, float("inf")))
    assert (row["printed"], row["lowest"], row["lowest_line"], row["highest"], row["highest_line"]) == (
        3,
        -1.0,
        3,
        7.0,
        4,
    )


def test_the_printed_text_decides_what_repeats() -> None:
    rows = metric("loss", 1.5, 1.5, 1.5, 1.5)
    for row, text in zip(rows, ["1.50", "1.5", "1.5", "1.5"], strict=True):
        row["text"] = text
    row = only("repeats", metrics=rows)
    assert (row["line"], row["equal"], row["printed"], row["digits"], row["at_end"]) == (2, 3, 4, 3, True)


@pytest.mark.parametrize(
    ("text", "digits"), [("0.0369", 3), ("7.96e-06", 3), ("-12.50", 4), ("0.00e+00", 0), ("1,377.95", 6), ("nan", 0)]
)
def test_significant_digits(text: str, digits: int) -> None:
    assert significant_digits(text) == digits


def test_the_scale_falls_rises_and_falls() -> None:
    row = only("scaler", metrics=metric("loss_scale", 1024.0, 512.0, 1024.0, 1024.0, 256.0, 128.0, 128.0))
    assert (row["falls"], row["rises"], row["falls_since_rise"], row["halvings_since_rise"]) == (3, 1, 2, 3.0)
    assert (row["line"], row["lowest_scale"], row["last_scale"], row["still"]) == (6, 128.0, 128.0, 2)


@pytest.mark.parametrize(
    ("counts", "tried", "skipped", "late"),
    [
        # since the last line: 3 + 0 + 1 + 2 of 40; the last two lines cover 20
        ((3, 0, 1, 2), 40, 6, (20, 3)),
        # since the start: it only grows, beyond ten steps; the last two lines add 1 and 3
        ((7, 11, 12, 15), 40, 15, (20, 4)),
    ],
)
def test_skipped_steps_are_counted_in_either_way(
    counts: Sequence[int], tried: int, skipped: int, late: tuple[int, int]
) -> None:
    row = only("skips", metrics=metric("skipped_steps", *counts, steps=[10, 20, 30, 40]))
    assert (row["tried"], row["skipped"], row["share"]) == (tried, skipped, skipped / tried)
    assert (row["late_tried"], row["late_skipped"]) == late


def test_the_onset_tells_growth_and_what_stood_beside_it() -> None:
    rows = [
        *metric("loss", 2.0, 2.1, 1.9, 2.0, 6.0, 8.0, 10.0, float("nan"), 2.0),
        {"name": "lr", "value": 1e-3, "meaning": "value", "line": 7},
        {"name": "lr", "value": 1e-4, "meaning": "value", "line": 9},
    ]
    row = only("onset", metrics=rows)
    assert (row["line"], row["kind"], row["before"], row["bad"], row["finite_after"]) == (8, "nan", 7, 1, 1)
    assert (row["usual"], row["just_before"], row["growth"], row["lr"]) == (2.0, 8.0, 4.0, 1e-3)
