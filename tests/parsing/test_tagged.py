"""A tag, its value and its step alone in a record."""

from __future__ import annotations

import pytest

from postmortem.parsing.tagged import tagged


@pytest.mark.parametrize(
    ("text", "key", "value", "step"),
    [
        ("losses/q1_loss 65.25 193000", "losses/q1_loss", 65.25, 193_000),
        ("losses/alpha [0.015625] 7", "losses/alpha", 0.015625, 7),
        ("  charts/eval/return -2.5e-1 64 ", "charts/eval/return", -0.25, 64),
    ],
)
def test_a_tag_with_its_value_and_step(text: str, key: str, value: float, step: int) -> None:
    reading = tagged(text)
    assert reading is not None
    (pair,) = reading.metrics
    assert (pair.key, pair.value, reading.step) == (key, value, step)
    assert reading.step_at is not None
    assert text[slice(*reading.step_at)] == str(step)
    assert float(text[slice(*pair.at)]) == value


@pytest.mark.parametrize(
    "text",
    [
        "q1_loss 65.25 193000",  # a word as any other
        "losses/q1_loss 65 193000",  # two whole numbers, of which either may count
        "losses/q1_loss 65.25 0.5",
        "data/train.txt 65.25 193000",  # a file
        "losses/q1_loss 65.25 193000 done",
    ],
)
def test_what_is_no_such_record(text: str) -> None:
    assert tagged(text) is None
