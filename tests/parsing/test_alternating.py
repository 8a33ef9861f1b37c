"""Lines of names and numbers in turn."""

from __future__ import annotations

import math

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


def metrics(text: str) -> dict[str, float]:
    return {pair.key: pair.value for pair in read_record(text, NAMES).metrics}


def test_whole_numbers_and_what_is_none_are_values_there() -> None:
    read = metrics("step 1 ctc_loss inf grad_norm nan frames 173 labels 144")
    assert read.pop("grad_norm") != read.get("grad_norm")
    assert read == {"ctc_loss": math.inf, "frames": 173, "labels": 144}
    assert metrics("step   61 loss 4.25 grad_norm 0.5 targets 0") == {"loss": 4.25, "grad_norm": 0.5, "targets": 0}
    assert metrics("iter 3 | loss 2.5 | skipped 4 |") == {"loss": 2.5, "skipped": 4}


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 3 of 10 took 20 loss 2.5",  # words of a sentence
        "step 3 loss 2.5 on 8 GPUs",  # more than names and numbers
        "rank 3 port 29500 pid 4711",  # nothing that is measured
    ],
)
def test_elsewhere_a_whole_number_behind_a_word_is_none(text: str) -> None:
    assert set(metrics(text)) <= {"loss"}


def test_behind_a_split_two_values_are_enough_whatever_they_are_called() -> None:
    assert metrics("train cost 2.25 err 0.75") == {"train cost": 2.25, "train err": 0.75}
    assert metrics("epoch 4 train err 0.25 valid err 0.5") == {"train err": 0.25, "valid err": 0.5}
    assert metrics("Test: cost 2.5, err 0.25") == {"Test cost": 2.5, "Test err": 0.25}
    assert metrics("test images 10000 classes 10") == {}
    assert metrics("chunk cost 2.25 err 0.75") == {}  # no split


def test_a_number_in_letters_is_no_name_so_that_there_is_one_way_to_read_it() -> None:
    assert metrics("nan " * 100) == {}
    assert len(read_record("loss nan " * 50 + "x", NAMES).metrics) == 50
