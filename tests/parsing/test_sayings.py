"""Sentences that say that a metric is not finite, and those that only speak of it."""

from __future__ import annotations

import math

import pytest

from postmortem.parsing import names
from postmortem.parsing.sayings import pairs_said

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "key", "text_of_value"),
    [
        ("Loss became NaN at iteration 120", "Loss", "NaN"),
        ("Training loss went to nan after 3 epochs", "Training loss", "nan"),
        ("val_loss turned inf", "val_loss", "inf"),
        ("NaN detected in loss at step 45", "loss", "NaN"),
        ("ERROR: nan values found in the validation loss", "validation loss", "nan"),
        ("Found NaN in loss, exiting", "loss", "NaN"),
        ("Encountered infs in grad_norm of layer 3", "grad_norm", "inf"),
        ("nan loss encountered", "loss", "nan"),
        ("NaN loss at step 77", "loss", "NaN"),
    ],
)
def test_what_is_said_not_to_be_finite(text: str, key: str, text_of_value: str) -> None:
    (pair,) = pairs_said(text, NAMES)
    assert (pair.key, pair.text) == (key, text_of_value)
    assert not math.isfinite(pair.value)
    assert text[slice(*pair.at)] == text_of_value


@pytest.mark.parametrize(
    "text",
    [
        "checking whether NaN is found in loss",
        "No NaN found in loss",
        "if the loss becomes nan, lower the learning rate",
        "to avoid NaN loss at step 1 use fp32",
        "NaN detected in file data.csv",
        "the weather became inf",
        "skip_nan_loss: true",
        "nan_to_num applied",
    ],
)
def test_what_only_speaks_of_it(text: str) -> None:
    assert list(pairs_said(text, NAMES)) == []
