"""What a training says of itself before it begins, in a line that counts and measures nothing."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (
            "cells :: images 240/60 :: SGD lr 0.1 mom 0.9 :: max_grad_norm 1e-05 :: batch 12 :: 15 epochs",
            {"lr": "0.1", "momentum": "0.9", "max_norm": "1e-05", "batch_size": "12", "optimizer": "SGD"},
        ),
        (
            "digits mlp, 10 classes, sgd lr=0.2, batch=20, 70 batches per epoch",
            {"lr": "0.2", "batch_size": "20", "optimizer": "sgd"},
        ),
        (
            "Adam lr=0.005 weight_decay=0.0005 dropout=0.3 heads=4",
            {"lr": "0.005", "weight_decay": "0.0005", "dropout": "0.3", "heads": "4", "optimizer": "Adam"},
        ),
        # what is said with a sign is stated, whatever it is called; a word before a number may be any
        ("lr 1e-3, batch 256, ring 8", {"lr": "1e-3", "batch_size": "256"}),
    ],
)
def test_a_preface_states(text: str, settings: dict[str, str]) -> None:
    reading = read_record(text, NAMES)
    stated = {NAMES.setting(one.key) or one.key: one.text for one in reading.settings}
    assert (stated, reading.metrics, reading.step) == (settings, [], None)


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 3 batch 20 lr 0.1",  # it counts an epoch
        "batch 20 lr 0.1 wd 0.01",  # it begins with what it counts
        "[12/100] batch 3 lr 0.1 wd 0.1",
        "loss 0.5 lr 0.1 batch 5",  # it measures
        "lr 0.1 alone",  # one is a measurement as often
    ],
)
def test_no_preface_is_what_counts_or_measures(text: str) -> None:
    assert "batch_size" not in {one.key for one in read_record(text, NAMES).settings}
    assert read_record(text, NAMES).metrics or read_record(text, NAMES).has_place or "alone" in text
