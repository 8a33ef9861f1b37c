"""Which process printed a line, and what its counters count."""

from __future__ import annotations

import pytest

from postmortem.signals import Signals
from tests.parsing.traps.reading import read, rows


@pytest.mark.parametrize(
    ("line", "rank"),
    [
        ("[rank3]: step 5: loss=2.5", 3),
        ("[default7]:step 5: loss=2.5", 7),
        ("[lrdn3321:3]: step 5: loss=2.5", 3),
        ("12: step 5: loss=2.5", 12),
        ("[1,2]<stdout>: step 5: loss=2.5", 2),
        ("12: [2026-01-05 22:16:00,018] step 5: loss=2.5", 12),
        ("2026-01-05 22:16:00,018 [rank1]: step 5: loss=2.5", 1),
        ("2026-01-05 22:16:00,018 INFO [train.py:901] (2/4) step 5: loss=2.5", 2),
        ("(2/4) step 5: loss=2.5", 2),
        ("step 5: loss=2.5 ... rank 6", 6),
        ("step 5: loss=2.5", None),
    ],
)
def test_a_rank_is_read_wherever_it_stands(line: str, rank: int | None) -> None:
    assert rows(read(f"{line}\n").metrics, "rank", "step", "name", "value") == [(rank, 5, "loss", 2.5)]


def test_a_logger_names_the_rank_behind_its_own_prefix() -> None:
    run = read("[2026-01-05 22:16:00,018] [INFO] [logging.py:96:log_dist] [Rank 3] step=20, skipped=1, lr=[1e-05]\n")
    assert rows(run.metrics, "rank", "step", "name", "value") == [(3, 20, "skipped_steps", 1.0), (3, 20, "lr", 1e-05)]


def test_a_step_that_every_rank_prints_is_one_step_of_several_ranks() -> None:
    log = "".join(
        f"[rank{rank}]: step {step}: loss={'nan' if step == 2 else 2.5}\n" for step in (1, 2, 3) for rank in range(4)
    )
    run = read(log)
    assert sorted(set(rows(run.metrics, "step", "rank"))) == [(step, rank) for step in (1, 2, 3) for rank in range(4)]
    lost = Signals(run.frames()).get("nonfinite")
    assert lost is not None
    assert rows(lost, "step", "bad", "printed", "bad_steps") == [(2, 4, 12, 1)]


@pytest.mark.parametrize("steps", [[0, 1, 2], [1, 2, 3], [10, 20, 30]])
def test_steps_stay_as_they_are_counted(steps: list[int]) -> None:
    run = read("".join(f"step {step}/{steps[-1]}: loss=2.5\n" for step in steps))
    assert run.metrics["step"].to_list() == steps


def test_batches_start_anew_in_every_epoch() -> None:
    run = read("Epoch 1, batch 1: loss=2.5\nEpoch 1, batch 2: loss=2.25\nEpoch 2, batch 1: loss=2.0\n")
    assert rows(run.metrics, "epoch", "step", "step_unit", "value") == [
        (1.0, 1, "batch_of_epoch", 2.5),
        (1.0, 2, "batch_of_epoch", 2.25),
        (2.0, 1, "batch_of_epoch", 2.0),
    ]


def test_an_optimizer_step_is_no_micro_batch() -> None:
    run = read("epoch=1/micro_step=40/global_step=20, RunningAvgSamplesPerSec=170.5, CurrSamplesPerSec=172.25\n")
    assert rows(run.metrics, "epoch", "step", "step_unit", "value", "meaning") == [
        (1.0, 20, "update", 170.5, "running_mean"),
        (1.0, 20, "update", 172.25, "value"),
    ]


def test_a_bar_s_postfix_tells_the_step_of_the_run() -> None:
    run = read("Epoch 2:   1%|          | 6/500 [00:10<14:06,  1.7s/it, loss=0.5, step=506]\n")
    assert rows(run.metrics, "name", "epoch", "step", "value") == [("loss", 2.0, 506, 0.5)]


def test_an_amount_is_no_step() -> None:
    run = read("step 5: loss=2.5\n\ntotal steps: 500, loss: 2.25\n")
    assert rows(run.metrics, "name", "step", "value") == [("loss", 5, 2.5), ("loss", None, 2.25)]


def test_what_a_booster_counts_is_no_rank() -> None:
    run = read("5:      learn: 0.5      test: 0.25 best: 0.25 (5)\n")
    assert rows(run.metrics, "rank", "step", "split", "value") == [
        (None, 5, "train", 0.5),
        (None, 5, "eval", 0.25),
        (None, 5, "eval", 0.25),
        (None, 5, "eval", 5.0),  # the iteration of the best value
    ]
