"""Values with their names behind them."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Epoch 0: 0.5125 loss, 90.25% accuracy", [("loss", 0.5125), ("accuracy", 90.25)]),
        # the time of day has no value behind it
        ("Epoch 1 @ 10:05 PM : 0.4875 C.E. Loss, 91.5% Accuracy", [("lm_loss", 0.4875), ("accuracy", 91.5)]),
        # the same in another unit
        ("Epoch 6 | loss: 23.5 (0.75 bpd) | z: 0.5", [("loss", 23.5), ("bpd", 0.75), ("z", 0.5)]),
        ("Epoch 6 | loss: 23.5 (0.75 ms) | z: 0.5", [("loss", 23.5), ("z", 0.5)]),
        ("step 5 | nan train loss | 0.5 val loss", [("loss", float("nan")), ("loss", 0.5)]),
    ],
)
def test_a_value_has_the_name_behind_it(text: str, values: list[tuple[str, float]]) -> None:
    found = [(NAMES.metric(pair.key).name, pair.value) for pair in read_record(text, NAMES).metrics]
    assert [name for name, _ in found] == [name for name, _ in values]
    assert [value for _, value in found] == pytest.approx([value for _, value in values], nan_ok=True)


@pytest.mark.parametrize(
    "text",
    [
        "0.5125 loss, 90.25% accuracy",  # nothing says where
        "Epoch 3: it ended with 0.5 accuracy",  # a sentence
        "Epoch 3: 0.5 seconds, 2.5 meters",  # nobody knows what is measured
        "Epoch 3: 0.5 loss, 2.5 of them",
    ],
)
def test_what_may_be_a_sentence_is_not_read(text: str) -> None:
    assert not read_record(text, NAMES).metrics
