"""The Trainer's own state: history, course, configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.readers.reading import curve, load, settings

if TYPE_CHECKING:
    from pathlib import Path

_STATE = {
    "best_global_step": 20,
    "best_metric": 1.75,
    "best_model_checkpoint": "out/checkpoint-20",
    "epoch": 2.0,
    "global_step": 40,
    "log_history": [
        {"epoch": 0.5, "grad_norm": 3.5, "learning_rate": 5e-05, "loss": 2.5, "step": 10},
        {"epoch": 1.0, "eval_loss": 1.75, "eval_runtime": 8.25, "step": 20},
        {"epoch": 2.0, "total_flos": 1e15, "train_loss": 2.0, "train_runtime": 120.5, "step": 40},
    ],
    "max_steps": 40,
    "num_train_epochs": 2,
    "stateful_callbacks": {"TrainerControl": {"args": {}}},
    "total_flos": 1e15,
    "train_batch_size": 8,
    "trial_name": None,
}


def test_the_history_is_measured_in_updates(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(_STATE, indent=2, sort_keys=True))
    frames, info = load(path)
    metrics = frames["metrics"]
    loss = metrics.filter(metrics["name"] == "loss").select("step", "step_unit", "epoch", "split", "value")
    assert loss.rows() == [(10, "update", 0.5, None, 2.5), (20, "update", 1.0, "eval", 1.75)]
    assert curve(frames, "lr") == [(10, 5e-05)]
    assert info.dialects == ["hf_trainer"]
    assert info.unread_lines == 0


def test_the_mean_of_the_run_is_no_point_of_the_curve(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(_STATE))
    frames, _ = load(path)
    assert curve(frames, "run_mean_loss") == [(40, 2.0)]


def test_a_row_stands_at_the_line_of_its_entry(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    text = json.dumps(_STATE, indent=2, sort_keys=True)
    path.write_text(text)
    frames, _ = load(path)
    metrics = frames["metrics"]
    line, offset = metrics.filter(metrics["source_name"] == "eval_loss").select("line", "offset").row(0)
    # the entry opens three lines above its third key
    assert text.split("\n")[line - 1].strip() == "{"
    assert '"eval_loss"' in text.split("\n")[line + 1]
    assert text.encode()[offset:].startswith(b"    {\n")


def test_the_course_and_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(_STATE))
    frames, info = load(path)
    assert settings(frames) == {
        "best_model_checkpoint": "out/checkpoint-20",
        "total_steps": "40",
        "epochs": "2",
        "batch_size": "8",
    }
    assert curve(frames, "best_metric") == [(20, 1.75)]
    assert curve(frames, "total_flos") == [(40, 1e15), (40, 1e15)]
    assert info.left_out == {"parts of the state that are no value": 1}


def test_a_state_that_was_cut_off_while_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    text = json.dumps(_STATE, indent=2, sort_keys=True)
    path.write_text(text[: text.index('"eval_runtime"')])
    frames, info = load(path)
    assert curve(frames, "loss") == [(10, 2.5)]
    assert frames["settings"].is_empty()
    assert info.truncated
