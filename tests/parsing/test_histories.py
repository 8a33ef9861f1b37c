"""Curves that are printed as lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import postmortem
from postmortem.parsing import names
from postmortem.parsing.histories import histories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _found(text: str) -> list[tuple[str, float]]:
    return [(pair.key, pair.value) for pair in histories(text, names.load(), [])]


def _curve(key: str, values: Sequence[float]) -> list[tuple[str, float]]:
    return [(key, value) for value in values]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "{'loss': [0.5, 0.25, 0.125], 'val_acc': [0.5, 0.75, 1.0], 'lr': [1]}",
            _curve("loss", [0.5, 0.25, 0.125]) + _curve("val_acc", [0.5, 0.75, 1.0]),
        ),
        ("train_losses = [2.5, 1.5, np.float64(1.25)]", _curve("train_loss", [2.5, 1.5, 1.25])),
        ("val loss history: [2.5, '1.5', 1.25,]", _curve("val loss", [2.5, 1.5, 1.25])),
        ("loss_list [1e-1, .5, 2]", _curve("loss", [0.1, 0.5, 2])),
        ("losses: [0.5,,0.25, 0.125]", _curve("loss", [0.5, 0.25, 0.125])),
        (str([0.5] * 10), _curve("values", [0.5] * 10)),
        (f"RNN:{[0.5] * 10}", _curve("RNN", [0.5] * 10)),
        # with the round of each, as Flower prints them
        ("app_fit: losses_distributed [(1, 2.5), (2, 1.25)]", _curve("eval loss", [2.5, 1.25])),
        ("app_fit: metrics_distributed {'acc': [(1, 0.25), (2, 0.5)]}", _curve("eval acc", [0.25, 0.5])),
        ("app_fit: metrics_distributed_fit {'acc': [(1, 0.25)]}", _curve("acc", [0.25])),
        ("losses_centralized [(0, 2.5), (1, 1.5)]", [("initial eval loss", 2.5), ("eval loss", 1.5)]),
    ],
)
def test_a_list_of_a_loss_is_a_curve_and_so_are_lists_of_its_length(text: str, found: list[tuple[str, float]]) -> None:
    assert _found(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "per class iou: [0.5, 0.25, 0.75]",  # no loss beside it: a part of the set each
        "loss_weights: [1, 2, 3]",
        "loss: [0.5, 0.25]",
        "points: [(1, 0.5), (3, 0.25)]",
        "points: [(1, 0.5), (2, x)]",
        "[(1, 0.5), (2, 0.25)]",
        "losses: [0.5, 0.25, x]",
        str([0.5] * 9),
        f"RNN:{[0.5] * 9}",
        f"thresholds:{[0.5] * 10}",
        f"accuracy:{[0.5] * 10}",
        f"mean of {[0.5] * 10}, as before",
        str([-0.5] * 10),
        str([5] * 10),
    ],
)
def test_sizes_parts_and_vectors_are_none(text: str) -> None:
    assert _found(text) == []


def test_a_thousand_commas_are_no_thousands() -> None:
    assert len(_found("loss: [0.5," + "100," * 3000 + "200]")) == 3002
    assert _found("loss: [0.5," + "100," * 3000 + "x]") == []


def test_the_place_in_the_list_is_the_epoch(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("Epoch 9\nloss = [0.5, 0.25, 0.125]\n{'val_loss': [0.75, 0.5, 0.25], 'acc': [0.5, 0.75, 1.0]}\n")
    rows = postmortem.read(path).metrics.select("line", "name", "split", "step", "epoch", "value").rows()
    assert rows == [
        (2, "loss", None, None, 1.0, 0.5),
        (2, "loss", None, None, 2.0, 0.25),
        (2, "loss", None, None, 3.0, 0.125),
        (3, "loss", "eval", None, 1.0, 0.75),
        (3, "accuracy", None, None, 1.0, 0.5),
        (3, "loss", "eval", None, 2.0, 0.5),
        (3, "accuracy", None, None, 2.0, 0.75),
        (3, "loss", "eval", None, 3.0, 0.25),
        (3, "accuracy", None, None, 3.0, 1.0),
    ]


def test_what_was_evaluated_before_the_first_round_is_of_round_0(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("app_fit: losses_centralized [(0, 2.5), (1, 1.5), (2, 1.25)]\n")
    rows = postmortem.read(path).metrics.select("source_name", "epoch", "value").rows()
    assert rows == [("initial eval loss", 0.0, 2.5), ("eval loss", 1.0, 1.5), ("eval loss", 2.0, 1.25)]


def test_a_list_beside_a_counter_is_of_that_step(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("step 1 loss 0.5\nepoch 3 losses: [0.5, 0.25, 0.125]\n")
    assert postmortem.read(path).metrics.filter(dialect="history").is_empty()
