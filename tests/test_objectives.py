"""Which losses a run as a whole minimises."""

from __future__ import annotations

import pytest

from postmortem import objectives


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["loss", "recon_loss", "lr"], {"loss"}),
        (["loss", "lm_loss", "kd_loss"], {"loss", "lm_loss"}),
        # the only one that is printed, under whatever name
        (["infonce_loss", "lr"], {"infonce_loss"}),
        (["ctcloss", "lr"], {"ctcloss"}),
        (["recon_loss", "commitment_loss"], set()),
        # a term alone: what it is added to is not printed
        (["aux_loss", "lr"], set()),
        # a game of two, and an agent's
        (["loss", "d_loss", "g_loss"], set()),
        (["mse_loss", "reward"], set()),
        (["logloss"], {"logloss"}),
        (["lr", "accuracy"], set()),
        ([], set()),
    ],
)
def test_those_named_so_or_the_only_one_unless_there_is_a_game(names: list[str], found: set[str]) -> None:
    assert objectives.of(names) == found


@pytest.mark.parametrize(
    ("name", "less"),
    [
        ("val_rmse", True),
        ("perplexity", True),
        ("accuracy", False),
        ("mean_reward", False),
        ("bbox_map50", False),
        # what it was at its best can only get better, and a spread need not
        ("best_accuracy", None),
        ("std_reward", None),
        # of two nets, and what nobody knows
        ("d_loss", None),
        ("throughput", None),
    ],
)
def test_what_is_better_when_it_is_smaller(name: str, less: bool | None) -> None:  # noqa: FBT001 - a case
    assert objectives.less_is_better(name) is less


@pytest.mark.parametrize(("name", "share"), [("token_acc", True), ("miou", True), ("reward", False), ("rmse", False)])
def test_what_is_a_part_of_a_whole(name: str, share: bool) -> None:  # noqa: FBT001 - a case
    assert objectives.is_share(name) is share
