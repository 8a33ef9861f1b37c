"""How many epochs a run was to have, told by its counter alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postmortem

if TYPE_CHECKING:
    from pathlib import Path


def epochs(tmp_path: Path, text: str) -> list[tuple[int, float, str]]:
    """Line, number and value of what is set as the number of epochs."""
    log = tmp_path / "train.log"
    log.write_text(text)
    settings = postmortem.read(log).settings
    rows = settings.filter(settings["key"] == "epochs")
    return list(rows.select("line", "number", "value").iter_rows())


def test_a_counter_says_how_far_it_goes(tmp_path: Path) -> None:
    lines = "start\nEpoch [1/500] loss: 2.0\nEpoch [2/500] loss: 1.9\nEpoch [10/500] loss: 1.8\n"
    assert epochs(tmp_path, lines) == [(2, 500.0, "500")]


def test_so_does_the_heading_of_a_known_trainer(tmp_path: Path) -> None:
    lines = "Epoch 1/3\n10/10 - 1s - loss: 2.0000 - acc: 0.5000\nEpoch 2/3\n10/10 - 1s - loss: 1.9000 - acc: 0.6000\n"
    assert epochs(tmp_path, lines) == [(1, 3.0, "3")]


def test_a_setting_that_says_it_is_the_only_one(tmp_path: Path) -> None:
    assert epochs(tmp_path, "num_epochs: 20\nEpoch [1/500] loss: 2.0\n") == [(1, 20.0, "20")]


def test_the_first_counter_says_it(tmp_path: Path) -> None:
    lines = "Epoch [1/5] loss: 2.0\nEpoch [6/10] loss: 1.9\n"
    assert [number for _, number, _ in epochs(tmp_path, lines)] == [5.0]


def test_batches_of_an_epoch_are_no_epochs(tmp_path: Path) -> None:
    assert epochs(tmp_path, "Epoch 1 [12/100] loss: 2.0\nEpoch 1 [24/100] loss: 1.9\n") == []
