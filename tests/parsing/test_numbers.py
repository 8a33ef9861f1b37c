"""Every spelling of a number that logs use, and no other text."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing.numbers import DURATION, NUMBER, bare, number, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("776,853,774,304,905,088", 776853774304905088.0),
        ("-27262976", -27262976.0),
        ("1e-05", 1e-05),
        ("inf.0", math.inf),
        ("-inf.000", -math.inf),
        ("1.5E-04", 1.5e-04),
        (".5", 0.5),
        ("-inf", -math.inf),
        (".inf", math.inf),
        ("25.2G", 25.2e9),
        ("43M", 43e6),
        ("-1.#INF", -math.inf),
        ("1.#INF00", math.inf),
        ("12.9k", 12900.0),
        ("~87", 87.0),
        ("np.float64(0.40021)", 0.40021),
        ("tensor(2.5, device='cuda:0')", 2.5),
        ("tf.Tensor(2.5, shape=(), dtype=float64)", 2.5),
        ('"15.286"', 15.286),
        ("1e400", math.inf),
    ],
)
def test_reads_every_spelling(text: str, value: float) -> None:
    found = re.search(NUMBER, text)
    assert found is not None
    assert found.group() == text
    assert read(found.group()) == value


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", ".nan", "1.#QNAN000", "-1.#IND"])
def test_reads_nan(text: str) -> None:
    assert math.isnan(read(text))


def test_a_unit_may_stand_a_blank_behind_at_the_end() -> None:
    assert read("2.98 M") == 2.98e6
    assert read("2.98 Mbit") == 2.98


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0m 57s", 57.0),
        ("1m12.5s", 72.5),
        ("2h 03m 10s", 7_390.0),
        ("1h 3m", 3_780.0),
        ("1 minute and 42.6 seconds", 102.6),
        ("2 hours, 2 minutes and 16.4 seconds", 7_336.4),
        ("1d 2h 0m 1s", 93_601.0),
    ],
)
def test_a_time_of_several_units_is_one_number_of_seconds(text: str, seconds: float) -> None:
    found = re.search(DURATION, f"took {text}, then 3 more")
    assert found is not None
    assert found.group() == text
    assert read(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["57s", "1.5h", "0m 57", "3m 5 samples", "12m 5steps", "100M 5s"])
def test_one_unit_is_no_time_of_several(text: str) -> None:
    assert re.search(DURATION, text) is None


@pytest.mark.parametrize("text", ["", " ", "m", "none"])
def test_what_holds_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        read(text)


def test_words_that_begin_like_numbers_are_none() -> None:
    assert re.search(NUMBER, "info nano infinite loss.nano") is None


def test_thousands_need_groups_of_three() -> None:
    assert [read(found) for found in re.findall(NUMBER, "1,2345")] == [1.0, 2345.0]


@given(st.floats(allow_nan=False))
def test_what_python_prints_is_read_back(value: float) -> None:
    found = re.fullmatch(NUMBER, repr(value))
    assert found is not None
    assert read(found.group()) == value


@given(st.integers(min_value=0, max_value=10**18))
def test_thousands_are_read_back(value: int) -> None:
    found = re.fullmatch(NUMBER, f"{value:,}")
    assert found is not None
    assert read(found.group()) == float(value)


@given(
    st.text("0123456789.,+-eE naifty~kMGB/_()[]'\"%", max_size=20), st.sampled_from(["", "np.float64(", "tensor(", '"'])
)
def test_a_number_with_its_digits_written_once_is_found_where_it_was(text: str, before: str) -> None:
    once = [found.span() for found in re.finditer(number("x"), before + text)]
    assert once == [found.span() for found in re.finditer(NUMBER, before + text)]


@pytest.mark.parametrize(
    ("printed", "alone"),
    [
        ("'0'", "0"),
        ('"15.286"', "15.286"),
        ("np.float64(0.4)", "0.4"),
        ("tensor(2.1, device='cuda:0')", "2.1"),
        ("12,345", "12,345"),
        ("~87", "~87"),
        ("1.5k", "1.5k"),
    ],
)
def test_a_number_is_its_digits_without_what_is_around_it(printed: str, alone: str) -> None:
    text = f"loss: {printed} "
    start, end = bare(text, 6, 6 + len(printed))
    assert text[start:end] == alone
