"""The macros that say what a metric is of."""

from __future__ import annotations

import pytest

from postmortem import objectives
from postmortem.rules import database

#: By hand: metrics of an agent or of adversaries, and what has nearly such a name.
OF_A_GAME = {
    "reward": True,
    "episode_return": True,
    "value_loss": True,
    "d_loss": True,
    "loss_g": True,
    "loss_g_gan": True,
    "ret100": True,
    "loss_giou": False,
    "loss_dice": False,
    "valued_loss": False,
    "loss": False,
    "score_map": False,
}
OF_A_TASK = {
    "map50_95": True,
    "bbox_map_50": False,
    "macro_f1": True,
    "ndcg@10": True,
    "rouge_l": True,
    "sacre_bleu_4": True,
    "success_rate": True,
    "recall_loss": False,
    "mapping": False,
    "accuracy": False,
}


def said(macro: str, name: str) -> bool:
    with database.sealed("64MB") as connection:
        (answer,) = connection.execute(f"SELECT {macro}(?)", [name]).fetchone() or (None,)
    return bool(answer)


@pytest.mark.parametrize(("name", "expected"), OF_A_GAME.items())
def test_what_is_of_a_game_is_the_same_in_sql_and_in_python(name: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert said("is_of_a_game", name) is expected
    assert objectives.is_game([name]) is expected


@pytest.mark.parametrize(("name", "expected"), OF_A_TASK.items())
def test_what_measures_a_task(name: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert said("measures_a_task", name) is expected
