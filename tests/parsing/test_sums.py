"""Sums over the batches so far are told from losses that rise."""

from __future__ import annotations

import math

import pytest

from tests.parsing.reading import metrics


def meanings(text: str) -> list[str]:
    return metrics(text).filter(name="loss")["meaning"].to_list()


def epoch(number: int, losses: list[float], name: str) -> str:
    """What a loop prints that adds up its losses."""
    total, lines = 0.0, []
    for batch, loss in enumerate(losses):
        total += loss
        lines.append(f"[{batch}/251] {name} of epoch {number} is : {total}\n")
    return "".join(lines)


BATCHES = [1.5, 1.25, 1.5, 1.125, 1.25, 1.0, 1.25, 1.125, 1.0, 0.875]


def test_a_sum_that_is_called_one() -> None:
    assert meanings(epoch(0, BATCHES, "running loss")) == ["sum"] * 10


@pytest.mark.parametrize("name", ["loss", "total loss"])
def test_a_sum_that_begins_anew(name: str) -> None:
    assert meanings(epoch(0, BATCHES, name) + epoch(1, BATCHES, name)) == ["sum"] * 20


@pytest.mark.parametrize("name", ["loss", "total loss"])
def test_a_loss_that_rises_once_may_be_one_that_diverges(name: str) -> None:
    assert meanings(epoch(0, BATCHES, name)) == ["value"] * 10


def test_a_running_loss_that_is_a_mean_is_none() -> None:
    text = "".join(f"[{n}/251] running loss of epoch 0 is : {1.5 + n / 100}\n" for n in range(10))
    assert meanings(text) == ["value"] * 10


def test_too_few_say_nothing() -> None:
    assert meanings(epoch(0, BATCHES[:7], "running loss")) == ["value"] * 7


def test_what_is_not_finite_stays_a_value() -> None:
    assert meanings(epoch(0, [*BATCHES, math.nan], "running loss")) == ["sum"] * 10 + ["value"]
