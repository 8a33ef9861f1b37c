"""A counter's word among the lines of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.run import Run

CONFIGURATION = "dropout = 0.2\nlearning_rate = 0.001\nseed = 7\n{counter}\nhidden_size = 64\n"
TRAINING = "Epoch 0\tAcc: 0.5\nIteration: 100\tLoss: 2.5\nIteration: 200\tLoss: 1.5\nEpoch 1\tAcc: 0.75\n"


def run_of(folder: Path, text: str) -> Run:
    path = folder / "x.log"
    path.write_text(text, encoding="utf-8")
    return read(str(path))


@pytest.mark.parametrize(
    ("counter", "key", "number"),
    [("batch =  256", "batch_size", 256.0), ("epoch = 20", "epochs", 20.0), ("step = 300", "total_steps", 300.0)],
)
def test_it_states_how_much_there_is_and_places_nothing(tmp_path: Path, counter: str, key: str, number: float) -> None:
    run = run_of(tmp_path, CONFIGURATION.format(counter=counter) + TRAINING)

    assert run.settings.filter(key=key).select("line", "number").rows() == [(4, number)]
    assert run.settings.filter(key="width")["step"].to_list() == [None]
    assert run.settings.filter(key="width")["epoch"].to_list() == [None]
    assert run.metrics.select("name", "step", "epoch", "value").rows() == [
        ("accuracy", None, 0.0, 0.5),
        ("loss", 100, 0.0, 2.5),
        ("loss", 200, 0.0, 1.5),
        ("accuracy", None, 1.0, 0.75),
    ]


@pytest.mark.parametrize(
    "text",
    [
        # below a heading: too little stands before it
        "seed = 7\nepoch = 5\nlearning_rate = 0.001\ndropout = 0.2\nhidden_size = 64\nloss: 2.5\n",
        # what each epoch had, printed again
        "learning_rate = 0.1\nweight_decay = 0.5\nepoch = 5\nlearning_rate = 0.2\nweight_decay = 0.5\nloss: 2.5\n",
    ],
)
def test_where_it_may_be_a_heading(tmp_path: Path, text: str) -> None:
    run = run_of(tmp_path, text)

    assert run.settings.filter(key="epochs").is_empty()
    assert run.metrics.filter(name="loss")["epoch"].to_list() == [5.0]
