"""Figures read as in the design's example."""

from __future__ import annotations

import pytest

from postmortem.report.numbers import figure, interval, percent


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (139264, "139,264"),
        (139264.0**2 + 1, "1.9e10"),  # 19,394,461,697
        (-27262976.0, "-2.7e7"),
        (0.951, "0.951"),
        (38.0254, "38.03"),
        (28.34, "28.34"),
        (104.356, "104.4"),
        (12345.67, "12,346"),
        (0.7, "0.7"),
        (6.0, "6"),
        (0.0, "0"),
        (1e-5, "1e-5"),
        (1e-3, "1e-3"),
        (7.96e-06, "7.96e-6"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        (None, "unknown"),
        (True, "yes"),
        (False, "no"),
        ("bfloat16", "bfloat16"),
    ],
)
def test_a_figure_reads_as_a_person_writes_it(value: float | str | None, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.9509, "95.1 %"),
        (0.02, "2 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.99999, "> 99.9 %"),  # 1,023 of 1,024 is not all
        (1e-9, "< 0.1 %"),
        (None, "unknown"),
    ],
)
def test_only_all_and_none_read_as_such(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (33.6, 68.9, "33.6 to 68.9"),
        (None, 16.97, "at most 16.97"),
        (64, None, "at least 64"),
        (3.0, 3.0, "3"),
        (None, None, "unknown"),
    ],
)
def test_an_interval_may_be_open(low: float | None, high: float | None, shown: str) -> None:
    assert interval(low, high) == shown
