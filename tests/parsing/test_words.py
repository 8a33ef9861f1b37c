"""Words with a decimal number behind them, in lines of dialects too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import postmortem
from postmortem.parsing import names
from postmortem.parsing.generic import read_record
from postmortem.parsing.words import row_of, whole_of, words_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = names.load()


def found(text: str, *, placed: bool = True) -> dict[str, float]:
    return {pair.key: pair.value for pair in words_of(text, (), NAMES, [], placed=placed)}


def test_a_name_alone_in_its_record_stands_far_from_its_number() -> None:
    (pair,) = row_of("  game_sign_acc_L1          0.4897  (49.0%)", NAMES, [])
    assert (pair.key, pair.value) == ("game_sign_acc_L1", 0.4897)
    assert row_of("  weight_decay      0.0100", NAMES, []) == []
    assert row_of("  game_sign_acc 0.4897", NAMES, []) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Time 1.234  Data 0.512  Err 6.95", {"Time": 1.234, "Data": 0.512, "Err": 6.95}),
        ("val loss 2.5", {"val loss": 2.5}),
        ("took 812.1 ms 5043.0 tok/s 1.5 loss 2.25", {"loss": 2.25}),
        ("ms 5043.0", {"ms": 5043.0}),
        ("increased from 79.5 to 82.25", {}),
        ("top 5 of 10", {}),
        ("Epsilon 1 - Learning Rate 0.0002 - Reward 5", {"Epsilon": 1.0, "Learning Rate": 0.0002}),
        ("Epsilon 12 - Learning Rate 0.0002", {"Learning Rate": 0.0002}),
    ],
)
def test_a_word_names_the_decimal_behind_it_and_a_unit_the_number_before(text: str, values: dict[str, float]) -> None:
    assert found(text) == values


def test_where_nothing_is_measured_a_word_must_be_a_known_metric() -> None:
    assert found("version 2.5 loss 0.5", placed=False) == {"loss": 0.5}
    assert found("Current average LL is -0.25", placed=False) == {"average LL": -0.25}
    assert found("the weather is 0.25", placed=False) == {}
    assert found("DEV : loss 0.5 - f-score 0.75", placed=False) == {"loss": 0.5, "f-score": 0.75}


def test_what_a_dialect_leaves_is_read_as_words_where_it_has_no_keys(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        " | Epoch: [1][1/5004]    Time 1.234  Data 0.512  Err 6.9512  top1  99.609\n"
        " | Epoch: [1][2/5004]    Time 0.634  Data 0.012  Err 6.9112  top1  99.209\n"
        "Epoch: [1][3/5004] Time 0.31 (0.41) Data 0.1 (0.1) Loss 2.5 (2.4) mIoU 0.512 (0.498)\n"
    )
    rows = postmortem.read(log).metrics.select("name", "step", "value").rows()
    assert [row for row in rows if row[0] in {"err", "accuracy", "miou", "loss"}] == [
        ("err", 1, 6.9512),
        ("accuracy", 1, 99.609),
        ("err", 2, 6.9112),
        ("accuracy", 2, 99.209),
        ("loss", 3, 2.5),
        ("miou", 3, 0.512),
    ]


def test_beside_keys_that_a_dialect_leaves_a_known_word_is_read(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        "[Train] Epoch: [1][367/4899]  Loss:0.5 (Avg 0.25) Dice:0.75 (Avg 0.5) LR 1.00e-03   (AvgTime 1.5)\n"
    )
    found = postmortem.read(str(log)).metrics.select("name", "value").rows()
    assert found == [("loss", 0.5), ("dice", 0.75), ("lr", 0.001)]


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("rollout/ep_rew_mean", "reward"),
        ("info/learner/default_policy/learner_stats/entropy", "entropy"),
        ("env_runners/episode_return_mean", "reward"),
        ("metrics/mAP50-95(B)", "map50_95"),
        # how long one takes is no counter's name
        ("time/epoch", "time_epoch"),
        # a group that says whose it is stays
        ("actor/grad_norm", "actor_grad_norm"),
    ],
)
def test_what_a_tracker_groups_has_the_name_behind_the_group(name: str, metric: str) -> None:
    assert NAMES.metric(name).name == metric


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Episode 5 reward 12", {"reward": 12.0}),
        ("Episode 5: score -3, steps 200", {"score": -3.0}),
        ("epoch 5 acc 90", {"accuracy": 90.0}),
        ("epoch 5 loss 3 layers", {}),  # an amount
        ("epoch 5 foo 90", {}),  # nobody knows it
        ("reward 12", {}),  # nothing counts
    ],
)
def test_a_whole_number_is_a_measure_s_where_the_record_counts(text: str, found: dict[str, float]) -> None:
    assert {NAMES.metric(pair.key).name: pair.value for pair in read_record(text, NAMES).metrics} == found


def test_the_digits_of_a_whole_number_s_name_are_looked_at() -> None:
    text, places = "Episode 5 top1 90", list[tuple[int, int]]()
    assert [pair.key for pair in whole_of(text, NAMES, places)] == ["top1"]
    assert any(start <= text.index("1") < end for start, end in places)
