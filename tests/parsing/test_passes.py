"""Two passes in each epoch, without a word for either."""

from __future__ import annotations

from tests.parsing.reading import metrics


def splits(text: str) -> list[tuple[str | None, float | None, float]]:
    return metrics(text).filter(name="loss").select("split", "epoch", "value").rows()


def bar(batch: int, batches: int, loss: float) -> str:
    return f" [==== {batch}/{batches} ===>]  Step: 70ms | Tot: 2s50ms | Loss: {loss} | Acc: 50.000% (5/10)\n"


def epoch(number: int, *bars: tuple[int, int, float]) -> str:
    return f"\nEpoch: {number}\n" + "".join(bar(*one) for one in bars)


def test_the_second_and_shorter_pass_is_the_evaluation() -> None:
    text = "".join(epoch(n, (300, 300, 2.5 - n), (40, 40, 2.75 - n)) for n in (0, 1, 2))
    assert splits(text) == [
        ("train", 0.0, 2.5),
        ("eval", 0.0, 2.75),
        ("train", 1.0, 1.5),
        ("eval", 1.0, 1.75),
        ("train", 2.0, 0.5),
        ("eval", 2.0, 0.75),
    ]


def test_each_batch_of_a_pass_is_of_it_and_the_last_epoch_may_be_cut_off() -> None:
    passes = [(100, 300, 2.5), (200, 300, 2.25), (300, 300, 2.0), (20, 40, 1.75), (40, 40, 1.5)]
    text = epoch(0, *passes) + epoch(1, *passes) + epoch(2, *passes[:2])
    both = ["train"] * 3 + ["eval"] * 2
    assert [split for split, _, _ in splits(text)] == [*both, *both, "train", "train"]


def test_an_epoch_that_was_begun_anew_once_has_no_evaluation() -> None:
    text = (
        epoch(0, (300, 300, 2.5))
        + epoch(1, (200, 300, 2.25), (100, 300, 2.0), (300, 300, 1.5))
        + epoch(2, (300, 300, 1))
    )
    assert {split for split, _, _ in splits(text)} == {None}


def test_passes_of_any_length_are_none_of_two_sets() -> None:
    lengths = ((300, 40), (280, 70), (310, 20))
    text = "".join(epoch(n, (one, one, 2.5), (other, other, 2.75)) for n, (one, other) in enumerate(lengths))
    assert {split for split, _, _ in splits(text)} == {None}


def test_a_second_pass_as_long_as_the_first_may_be_of_anything() -> None:
    text = "".join(epoch(n, (300, 300, 2.5), (100, 300, 2.75), (300, 300, 2.0)) for n in (0, 1, 2))
    assert {split for split, _, _ in splits(text)} == {None}
