"""Names that have no ASCII in them, each in the words of a language."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from tests.parsing.reading import metrics

NAMES = names.load()


@pytest.mark.parametrize(
    ("printed", "name", "split"),
    [
        # test accuracy, validation loss, training loss in Korean
        ("\ud14c\uc2a4\ud2b8 \uc815\ud655\ub3c4", "accuracy", "eval"),
        ("\uac80\uc99d \uc190\uc2e4", "loss", "eval"),
        ("\ud559\uc2b5 \uc190\uc2e4", "loss", "train"),
        # validation loss in Japanese, the mean loss in Russian
        ("\u691c\u8a3c\u640d\u5931", "loss", "eval"),
        ("\u0441\u0440\u0435\u0434\u043d\u044f\u044f \u043f\u043e\u0442\u0435\u0440\u044f", "loss", None),
        # the current learning rate and the online mean loss in Chinese, and that behind an English split
        ("\u5f53\u524d\u5b66\u4e60\u7387", "lr", None),
        ("\u5728\u7ebf\u5e73\u5747\u635f\u5931", "loss", None),
        ("train \u5728\u7ebf\u51c6\u786e\u7387", "accuracy", "train"),
    ],
)
def test_what_a_name_measures_and_of_which_split(printed: str, name: str, split: str | None) -> None:
    assert NAMES.metric(printed) == (name, split, True)


def test_a_word_that_makes_it_another_metric_keeps_it_one() -> None:
    distillation = "\u84b8\u998f\u635f\u5931"
    assert NAMES.metric(distillation) == (distillation, None, False)
    assert NAMES.metric(f"val {distillation}") == (distillation, "eval", False)


def test_two_foreign_names_behind_one_split_are_two_metrics() -> None:
    loss, accuracy = "\u5728\u7ebf\u5e73\u5747\u635f\u5931", "\u5728\u7ebf\u51c6\u786e\u7387"
    rows = metrics(f"\u5df2\u8bad\u7ec3 40/80 | {loss}: 1.25 | {accuracy}: 62.50%\n").select("name", "split", "value")
    assert rows.rows() == [("loss", "train", 1.25), ("accuracy", "train", 62.5)]
