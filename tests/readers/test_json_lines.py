"""JSON lines: places are physical, what is no number is no number, nothing is dropped without a count."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from tests.readers.reading import curve, load, reader_of, settings

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_keeps_its_line_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 2.50}\r\n\n{"step": 2, "lo\xc3\x9f": 1, "loss": "1.5"}\n')
    frames, info = load(path)
    loss = frames["metrics"].filter(frames["metrics"]["name"] == "loss")
    assert loss.select("line", "offset", "step", "value", "text").rows() == [
        (1, 0, 1, 2.5, "2.50"),
        (3, 28, 2, 1.5, "1.5"),
    ]
    assert (info.lines, info.unread_lines, info.truncated, info.bytes) == (3, 0, False, path.stat().st_size)


def test_nested_objects_are_flat_and_lists_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"step": 3, "train": {"loss": 2, "aux": {"kl": 0.5}}, "betas": [0.9, 0.95], "note": "fine", "none": null}\n'
    )
    frames, info = load(path)
    assert curve(frames, "loss") == [(3, 2.0)]
    assert frames["metrics"].select("source_name", "split").rows() == [
        ("train/loss", "train"),
        ("train/aux/kl", "train"),
    ]
    assert info.left_out == {"lists": 1, "values that are no numbers": 1}


def test_nan_and_infinity_are_values(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"step": 1, "loss": NaN, "grad_norm": Infinity}\n{"step": 2, "loss": -Infinity}\n{"step": 3, "loss": "nan"}\n'
    )
    frames, _ = load(path)
    losses = [value for _, value in curve(frames, "loss")]
    assert math.isnan(losses[0])
    assert losses[1] == -math.inf
    assert math.isnan(losses[2])
    assert curve(frames, "grad_norm") == [(1, math.inf)]


def test_a_broken_line_is_unread_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    good = [json.dumps({"step": n, "loss": 1.0}) for n in range(8)]
    path.write_text("\n".join([*good, '{"step": 8, "loss": ', "[1, 2]"]))
    frames, info = load(path)
    assert [step for step, _ in curve(frames, "loss")] == list(range(8))
    assert (info.unread_lines, info.truncated) == (2, True)


def test_a_configuration_comes_before_the_records(tmp_path: Path) -> None:
    path = tmp_path / "20260105_041012.log.json"
    path.write_text(
        '{"env_info": "sys.platform: linux", "seed": 7, "exp_name": "faster.py"}\n'
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.02, "loss": 1.25, "time": 0.3}\n'
        '{"mode": "val", "epoch": 1, "iter": 100, "bbox_mAP": 0.375}\n'
    )
    frames, _ = load(path)
    assert settings(frames) == {"env_info": "sys.platform: linux", "seed": "7", "exp_name": "faster.py"}
    placed = frames["metrics"].select("name", "split", "epoch", "step", "value").rows()
    assert ("loss", "train", 1.0, 50, 1.25) in placed
    assert ("bbox_map", "eval", 1.0, 100, 0.375) in placed


@pytest.mark.parametrize("step", [2, 200])
def test_mmengine_counts_evaluations_in_epochs_or_in_iterations(tmp_path: Path, step: int) -> None:
    path = tmp_path / "scalars.json"
    path.write_text(
        '{"lr": 0.02, "data_time": 0.1, "loss": 1.25, "epoch": 2, "iter": 200, "memory": 1200, "step": 200}\n'
        f'{{"coco/bbox_mAP": 0.375, "step": {step}}}\n'
    )
    metrics = load(path)[0]["metrics"]
    row = metrics.filter(metrics["source_name"] == "coco/bbox_mAP")
    assert row.select("split", "step", "value").rows() == [("eval", 200, 0.375)]


def test_llama_factory_counts_updates(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    path.write_text(
        '{"current_steps": 10, "total_steps": 500, "loss": 1.25, "lr": 5e-05, "epoch": 0.5, "percentage": 2.0, '
        '"elapsed_time": "0:00:10", "remaining_time": "0:08:10"}\n'
    )
    frames, info = load(path)
    rows = frames["metrics"].filter(frames["metrics"]["name"] == "loss")
    assert rows.select("step", "step_unit", "epoch", "value").rows() == [(10, "update", 0.5, 1.25)]
    assert settings(frames) == {"total_steps": "500"}
    assert info.dialects == ["axolotl_llamafactory"]


def test_fairseq_prints_numbers_as_strings_and_losses_in_bits(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    inner = {"epoch": 1, "update": 1.0, "loss": "9.5", "nll_loss": "8.75", "wps": "52000.5", "ups": "0.5"}
    epoch = {"train_loss": "9.25", "train_nll_loss": "8.5", "train_wps": "5", "train_ups": "1"}
    path.write_text(
        json.dumps(inner | {"wpb": "104000", "num_updates": "1820"})
        + "\n"
        + json.dumps({"epoch": 1} | epoch | {"train_num_updates": "1900"})
        + "\n"
    )
    frames, info = load(path)
    assert curve(frames, "loss") == [(1820, 9.5), (1900, 9.25)]
    assert curve(frames, "nll_bits") == [(1820, 8.75), (1900, 8.5)]
    assert info.dialects == ["fairseq"]


def test_a_time_stamp_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"_step": 4, "_timestamp": 1700000000.5, "loss": 1}\n{"step": 5, "time": "2026-01-05T04:10:12", "loss": 1}\n'
    )
    frames, _ = load(path)
    assert frames["metrics"].select("step", "ts").rows() == [
        (4, "2023-11-14 22:13:20.500+00:00"),
        (5, "2026-01-05T04:10:12"),
    ]


def test_a_log_of_objects_that_ends_in_an_error_is_a_text_log(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text('{"step": 1, "loss": 2}\n' * 5_000)
    assert reader_of(path) == "json_lines"
    with path.open("a") as log:
        log.write("RuntimeError: CUDA error: an illegal memory access was encountered\n")
    assert reader_of(path) is None


def test_one_pretty_object_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"lr": 1, "seed": 2}, indent=2))
    assert reader_of(path) is None


def test_nesting_without_end_is_an_unread_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    path.write_text('{"step": 1, "loss": 2}\n' * 9 + deep + "\n")
    frames, info = load(path)
    assert len(curve(frames, "loss")) == 9
    assert info.unread_lines == 1


def test_a_million_names_are_bounded_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"step": 0, "loss": 1}\n' + "".join(f'{{"step": 1, "a{n}": 1, "b{n}": 2}}\n' for n in range(10_000))
    )
    frames, info = load(path)
    # step and loss are names as well
    assert frames["metrics"]["name"].n_unique() == 9_999
    assert info.left_out == {"values of names beyond the first 10,000": 20_001 - 9_999}


def test_a_line_that_is_too_long_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmortem.readers._lines.LONGEST", 100)
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"step": 1, "loss": 2}\n' * 9 + '{"step": 2, "text": "' + "x" * 1_000 + '"}\n{"step": 3, "loss": 4}\n'
    )
    frames, info = load(path)
    assert curve(frames, "loss")[-1] == (3, 4.0)
    assert (info.lines, info.unread_lines, info.cut_lines) == (11, 1, 1)


def test_numbers_without_end_are_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"step": {"9" * 6_000}, "loss": 1e999, "epoch": 1e400}}\n')
    frames, _ = load(path)
    assert curve(frames, "loss") == [(None, math.inf)]
    assert frames["metrics"]["epoch"].to_list() == [None] * frames["metrics"].height


def test_a_file_without_an_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"step": 1')
    from postmortem.parsing import names
    from postmortem.parsing.rows import Rows
    from postmortem.readers import json_lines

    with pytest.raises(PostmortemError, match="JSON object") as caught:
        json_lines.read(path, Rows(names.load()))
    assert "\n" not in str(caught.value)
