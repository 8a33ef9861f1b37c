"""Logs of language-model trainers: what places a step, what is a setting and what is neither."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from postmortem.parsing import dialects
from postmortem.parsing.reader import Reader
from postmortem.sources.chunks import chunks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


def frames_of(path: Path, *lines: str) -> dict[str, pl.DataFrame]:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    reader = Reader(str(path), dialects.shipped())
    with chunks(str(path)) as found:
        reader.read(found)
    return {name: made() for name, made in reader.log.frames().items()}


def metrics(frames: dict[str, pl.DataFrame], *columns: str, named: tuple[str, ...] = ()) -> list[tuple[object, ...]]:
    chosen = frames["metrics"].filter(pl.col("name").is_in(named)) if named else frames["metrics"]
    return chosen.select(columns).rows()


def settings(frames: dict[str, pl.DataFrame]) -> dict[str, str]:
    return dict(frames["settings"].select("key", "value").rows())


@pytest.mark.parametrize(
    "bar",
    [
        "Map (num_proc=4):  50%|█████     | 500/1000 [00:01<00:01, 480.10 examples/s]",
        "model-00001-of-00002.safetensors:  50%|█████     | 2.5G/5.0G [00:10<00:10, 250MB/s]",
        "Loading checkpoint shards:  50%|█████     | 1/2 [00:03<00:03,  3.5s/it]",
        "Evaluating:  50%|█████     | 5/10 [00:03<00:03,  1.5it/s]",
        "Evaluating iter 5/10",
        " loading checkpoint from /ckpt at iteration 5",
        "[Torch] Saving out/global_step5/mp_rank_00_model_states.pt...",
    ],
)
def test_another_bar_or_a_path_places_no_training(log: Path, bar: str) -> None:
    frames = frames_of(log, bar, "{'loss': 2.5, 'grad_norm': 1.5, 'learning_rate': 1e-05, 'epoch': 0.1}")
    assert metrics(frames, "name", "step", "epoch") == [
        ("loss", None, 0.1),
        ("grad_norm", None, 0.1),
        ("lr", None, 0.1),
    ]


def test_the_bar_before_a_dict_counts_updates_whatever_the_dict_holds(log: Path) -> None:
    bar = " 14%|█▍        | 378/2724 [13:58:09<86:18:35, 132.44s/it]   "
    frames = frames_of(log, bar + "{'loss': 0.6875, 'learning_rate': 4e-07, 'rewards/chosen': 0.25, 'epoch': 0.28}")
    assert metrics(frames, "step", "step_unit", "value", "meaning", named=("loss", "rewards_chosen")) == [
        (378, "update", 0.6875, "value"),
        (378, "update", 0.25, "value"),
    ]


def test_the_mean_over_the_run_is_no_point_of_the_curve(log: Path) -> None:
    frames = frames_of(
        log,
        "{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 0.5}",
        "{'train_runtime': 9.5, 'train_samples_per_second': 8.0, 'train_steps_per_second': 1.0, 'total_flos': 1e+15, "
        "'train_loss': 4.5, 'epoch': 1.0}",
        "***** train metrics *****",
        "  epoch                    =        1.0",
        "  total_flos               =   976562GF",
        "  train_loss               =        4.5",
        "  train_runtime            = 0:00:09.50",
    )
    assert metrics(frames, "line", "value", named=("loss",)) == [(1, 2.5)]
    kinds = frames["events"].select("line", "kind").rows()
    assert kinds == [(2, "completed"), (3, "train_summary")]
    assert json.loads(frames["events"]["fields"][1])["train_loss"] == 4.5


def test_an_evaluation_keeps_its_batch_size_to_itself(log: Path) -> None:
    frames = frames_of(
        log,
        "  Instantaneous batch size per device = 4",
        "***** Running Evaluation *****",
        "  Num examples = 240",
        "  Batch size = 16",
    )
    assert settings(frames) == {"batch_size": "4"}


def test_what_reads_as_an_epsilon_of_a_normalisation_and_is_none(log: Path) -> None:
    frames = frames_of(
        log,
        "{'eps': 1, 'objective/kl': 10.5, 'objective/entropy': 99.5, 'val/ratio': 0.96875, 'lr': 2e-06, 'episode': 8}",
        "Parameter Group 0",
        "    betas: (0.9, 0.999)",
        "    eps: 1e-08",
        "    lr: 0.0001",
        "[config.py:1004:print]   optimizer_params ............. {'lr': 1e-05, 'betas': [0.9, 0.95], 'eps': 1e-09}",
    )
    assert settings(frames) == {"lr": "1e-05", "optimizer_eps": "1e-09", "betas": "(0.9, 0.999)"}
    assert metrics(frames, "value", "split", named=("ratio", "episodes_per_second")) == [
        (1.0, "train"),
        (0.96875, "train"),
    ]


def test_a_configured_loss_scale_is_no_metric(log: Path) -> None:
    frames = frames_of(
        log,
        "[2026-01-05 11:17:02,183] [INFO] [config.py:1004:print]   loss_scale ................... 0",
        '        "loss_scale": 0,',
        " iteration        5/    1000 | consumed samples:         1280 | elapsed time per iteration (ms): 1500.5 | "
        "loss scale: 4096.0 | grad norm: 1.5 |",
    )
    assert metrics(frames, "line", "value", named=("loss_scale",)) == [(3, 4096.0)]
    assert settings(frames) == {"loss_scale": "0"}


def test_auxiliary_losses_are_not_the_loss(log: Path) -> None:
    frames = frames_of(
        log,
        " iteration        5/    1000 | consumed samples:         1280 | elapsed time per iteration (ms): 1500.5 | "
        "lm loss: 9.5E+00 | sop loss: 7.5E-01 | load_balancing_loss: 1.25E+00 | mtp_1 loss: 9.75E+00 |",
    )
    assert metrics(frames, "name", "value")[2:] == [
        ("lm_loss", 9.5),
        ("sop_loss", 0.75),
        ("aux_loss", 1.25),
        ("mtp_loss", 9.75),
    ]


def test_timers_of_ranks_are_no_settings(log: Path) -> None:
    frames = frames_of(log, "    save-checkpoint ................................: (8123.45, 8124.50)")
    assert all(frame.is_empty() for frame in frames.values())


@pytest.mark.parametrize(
    ("line", "step", "unit"),
    [
        ("Epoch 4 | iter 961 step 240 | loss train: 1.5, val: 1.25 | iter time: 9.5 ms", 961, "micro_batch"),
        ("iter 79 step 40: loss 1.5, iter time: 215.25ms (optimizer.step)", 79, "micro_batch"),
        ("Iter 70: Train loss 1.5, Learning Rate 1e-05, It/sec 17.5", 70, "unknown"),
        (
            "Training epoch 0, iteration 1/9 | lr: 1 | global_batch_size: 1 | global_step: 9 | reduced_train_loss: 1.5",
            9,
            "update",
        ),
        (
            "Epoch 0: :  1%|▏   | 4/1000 [01:02<1:13, v_num=0-27, reduced_train_loss=1.5, global_step=13.00]",
            13,
            "update",
        ),
        (
            " iteration 250/6000 | elapsed time per iteration (ms): 3.5 | learning rate 1E-05 | total loss 1.5E+00 | x",
            250,
            "update",
        ),
    ],
)
def test_the_training_loss_stands_at_its_step(log: Path, line: str, step: int, unit: str) -> None:
    training = pl.col("split").fill_null("train") == "train"
    rows = frames_of(log, line)["metrics"].filter(pl.col("name") == "loss", training)
    assert rows.select("step", "step_unit", "value").rows() == [(step, unit, 1.5)]


def test_the_scaler_that_gives_up_is_an_exception(log: Path) -> None:
    text = "Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run."
    assert frames_of(log, text)["events"].select("kind", "severity").rows() == [("exception", "error")]


def test_losses_in_words_keep_their_splits(log: Path) -> None:
    frames = frames_of(log, "Ep 2 (Step 000050): Train loss 3.125, Val loss 6.25")
    assert metrics(frames, "name", "split", "step", "epoch", "value") == [
        ("loss", "train", 50, 2.0, 3.125),
        ("loss", "eval", 50, 2.0, 6.25),
    ]
