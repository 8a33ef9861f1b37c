"""How many of how many."""

from __future__ import annotations

import math

import pytest

from postmortem.parsing import names, numbers
from postmortem.parsing.generic import read_record
from tests.parsing.reading import metrics

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Epoch 3 Accuracy: 7512/10000 (75%)", {"Accuracy": 0.7512}),
        ("Epoch 3 test acc: 3 / 4, loss: 0.5", {"test acc": 0.75, "test loss": 0.5}),
        ("Epoch 3 acc: 75.25% (301/400)", {"acc": 75.25}),
        ("Last sample: Prediction: 3 | Accuracy 6/40 = 15.00%", {"Prediction": 3.0, "Accuracy": 0.15}),
        ("Epoch 3 test accuracy 3/8 (37.5%)", {"test accuracy": 0.375}),
        ("Epoch 3 correct: 3/4", {"correct": 3.0}),  # nobody knows it as a share
        ("# correct:\t3/8 = 37.5%", {"accuracy": 0.375}),
        ("45/60 correct (75%)", {"accuracy": 0.75}),
        ("correct: 45/60 done", {}),
        ("Epoch 3 acc: 2023/11/05", {"acc": 2023.0}),
    ],
)
def test_a_share_is_the_ratio_of_both(text: str, expected: dict[str, float]) -> None:
    assert {pair.key: pair.value for pair in read_record(text, NAMES).metrics} == expected


def test_of_none_it_is_no_number() -> None:
    assert math.isnan(numbers.read("0/0"))
    assert numbers.read("3 / 8") == 0.375


@pytest.mark.parametrize("kernel", ["0", "1"])
def test_the_frames_hold_the_ratio_and_what_was_printed(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTMORTEM_KERNEL", kernel)
    rows = metrics("Epoch 1 acc: 1/4\nEpoch 2 acc: 3/4\n").select("epoch", "value", "text").rows()
    assert rows == [(1.0, 0.25, "1/4"), (2.0, 0.75, "3/4")]
