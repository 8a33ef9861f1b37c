"""What stands below the name of a split, and how far that name holds."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.headed import split_of_heading
from tests.parsing.reading import metrics

NAMES = names.load()


def values(*lines: str) -> list[tuple[str, str | None, float]]:
    """Name, split and value of each metric, in the log's order."""
    return metrics("\n".join((*lines, ""))).select("name", "split", "value").rows()


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("***** Eval results *****", "eval"),
        ("INFO:tensorflow:***** Eval results *****", "eval"),
        ("valid result: ", "eval"),
        ("INFO  valid result:", "eval"),
        ("Training:", "train"),
        ("=== Test ===", "eval"),
        ("Validation metrics at epoch 3 :", "eval"),
        ("Validation", None),  # one word alone may be of anything
        ("Evaluation started:", None),
        ("Loss:", None),
    ],
)
def test_a_heading_names_a_split_and_nothing_else(text: str, split: str | None) -> None:
    assert split_of_heading(text, NAMES) == split


def test_lines_below_it_are_of_its_split() -> None:
    assert values("loss = 4.5", "***** Eval results *****", "global_step = 20", "loss = 2.5", "f1 = 0.5") == [
        ("loss", None, 4.5),
        ("loss", "eval", 2.5),
        ("f1", "eval", 0.5),
    ]


def test_a_heading_may_count_its_epoch() -> None:
    lines = ("Epoch 3 train_loss: 4.5", "Validation results for epoch 3:", "f1 : 0.5", "rouge : 0.25")
    assert values(*lines) == [("loss", "train", 4.5), ("f1", "eval", 0.5), ("rouge", "eval", 0.25)]


def test_the_next_heading_takes_its_place() -> None:
    assert values("Train:", "loss: 2.5", "Val:", "loss: 2.25") == [("loss", "train", 2.5), ("loss", "eval", 2.25)]


@pytest.mark.parametrize(
    "lines",
    [
        ("Val:", "loss: 2.5", "", "", "loss: 4.5"),  # lines that do not follow it
        ("Val:", "loss: 2.5", "loss: 4.5"),  # what is measured again
        ("Val:", "loss: 2.5", "Epoch 3", "height: 4.5"),  # what counts further
        ("Val:", "loss: 2.5", "lr: 4.5", "step 7 train_loss: 4.5", "step 8 height: 4.5"),  # what is of no split
    ],
)
def test_it_holds_no_further(lines: tuple[str, ...]) -> None:
    found = values(*lines)

    assert found[0] == ("loss", "eval", 2.5)
    assert "eval" not in [split for _, split, _ in found[1:]]
