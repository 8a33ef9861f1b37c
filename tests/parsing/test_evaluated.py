"""A bar of Keras that belongs to no epoch."""

from __future__ import annotations

from tests.parsing.reading import metrics


def bar(batches: int, loss: float, val_loss: float | None = None) -> str:
    both = f" - val_loss: {val_loss}" if val_loss else ""
    return f"{batches}/{batches} [====================] - 2s 110ms/step - loss: {loss}{both}\n"


def splits(text: str) -> list[tuple[str | None, float]]:
    return metrics(text).filter(name="loss").select("split", "value").rows()


def test_behind_the_last_epoch_it_is_an_evaluation() -> None:
    text = "Epoch 1/2\n" + bar(30, 0.75, 0.875) + "Epoch 2/2\n" + bar(30, 0.5, 0.625) + bar(4, 0.6875)
    assert splits(text) == [(None, 0.75), ("eval", 0.875), (None, 0.5), ("eval", 0.625), ("eval", 0.6875)]


def test_below_a_heading_as_well() -> None:
    text = "Epoch 1/2\n" + bar(30, 0.75, 0.875) + "Epoch 2/2\n" + bar(30, 0.5, 0.625) + "\nEvaluating on test set...\n"
    assert splits(text + bar(4, 0.6875))[-1] == ("eval", 0.6875)


def test_and_so_it_is_between_two_trainings() -> None:
    fit = "Epoch 1/1\n" + bar(30, 0.75, 0.875)
    again = "Epoch 1/2\n" + bar(30, 0.25, 0.375) + "Epoch 2/2\n" + bar(30, 0.125, 0.5)
    found = splits(fit.replace("1/1", "3/3") + bar(4, 0.8125) + again)
    assert found[:3] == [(None, 0.75), ("eval", 0.875), ("eval", 0.8125)]
    assert found[3:] == [(None, 0.25), ("eval", 0.375), (None, 0.125), ("eval", 0.5)]


def test_before_the_end_of_an_epoch_it_is_of_the_training() -> None:
    text = "Epoch 1/2\n" + bar(30, 0.75, 0.875) + "Epoch 2/2\n" + bar(15, 0.625) + bar(30, 0.5, 0.5625)
    assert splits(text) == [(None, 0.75), ("eval", 0.875), (None, 0.625), (None, 0.5), ("eval", 0.5625)]


def test_trainings_of_one_epoch_each_are_none() -> None:
    text = ("Epoch 1/1\n" + bar(15, 0.5) + bar(30, 0.25, 0.375)) * 2
    assert [split for split, _ in splits(text)] == [None, None, "eval"] * 2
