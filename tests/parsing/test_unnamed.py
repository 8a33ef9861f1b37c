"""Values without a name behind a counter are columns; anything else that stands there is none."""

from __future__ import annotations

import pytest

from tests.parsing.reading import values


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Epoch 3: 0.5", [(None, 3.0, "column_1", None, 0.5)]),
        ("step 40, 0.5, 1.5e-3", [(40, None, "column_1", None, 0.5), (40, None, "column_2", None, 0.0015)]),
        ("Iter  100: 0.115349  (53% improvement)", [(100, None, "column_1", None, 0.115349)]),
        ("Iter 1: 0.25 \u2190 Start", [(1, None, "column_1", None, 0.25)]),
        ("Epoch [1/3] - 2.25", [(None, 1.0, "column_1", None, 2.25)]),
        ("INFO:root:step 7 => inf", [(7, None, "column_1", None, float("inf"))]),
    ],
)
def test_values_behind_a_counter_are_columns(
    text: str, found: list[tuple[int | None, float | None, str, None, float]]
) -> None:
    assert values(f"{text}\n") == found


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 3: 12.5s",  # how long it took
        "epoch 4: 0.5 and more",
        "Step 3: 10.0.0.1",
        "Epoch 5 took 0.5",
        "Step 3: 7",  # another count
        "[100] 2.25",  # a vector of R
        "what was said of the network at epoch 3: 0.5",  # prose
    ],
)
def test_anything_else_there_is_none(text: str) -> None:
    assert not any(name.startswith("column") for _, _, name, _, _ in values(f"{text}\n"))
