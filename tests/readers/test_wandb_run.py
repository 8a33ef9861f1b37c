"""W&B runs as its offline mode leaves them, whole, cut and damaged."""

from __future__ import annotations

import math
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from wandb.proto import wandb_internal_pb2 as messages

from postmortem.errors import PostmortemError
from tests.readers.reading import curve, load, reader_of, settings

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 32_768


def _log(records: list[Any]) -> bytes:
    """A LevelDB log of these messages, written by its specification."""
    log = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        data, first = record.SerializeToString(), True
        while data or first:
            if (room := _BLOCK - len(log) % _BLOCK) < 7:
                log += b"\0" * room
                room = _BLOCK
            part, data = data[: room - 7], data[room - 7 :]
            kind = (1 if first else 4) if not data else 2 if first else 3
            log += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
    return bytes(log)


def _history(step: int, **values: str) -> Any:  # noqa: ANN401
    record = messages.Record()
    record.history.step.num = step
    for name, value in values.items():
        record.history.item.add(key=name, value_json=value)
    return record


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of wandb's own, without a network."""
    import wandb

    folder = tmp_path_factory.mktemp("wandb")
    quiet = wandb.Settings(
        console="off",
        disable_git=True,
        disable_code=True,
        silent=True,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
    )
    config = {"lr": 1e-3, "model": {"width": 64}, "name": "small"}
    run = wandb.init(mode="offline", dir=str(folder), project="p", config=config, settings=quiet)
    for step in range(4):
        run.log({"train/loss": 2.0 - step / 4, "grad_norm": math.inf if step == 3 else 1.0, "epoch": step // 2})
    run.summary["best"] = 1.25
    run.finish(exit_code=3)
    wandb.teardown()
    return next(folder.glob("wandb/offline-run-*/run-*.wandb"))


def test_history_configuration_summary_and_exit(offline: Path) -> None:
    assert reader_of(offline) == "wandb_run"
    frames, info = load(offline)
    loss = frames["metrics"].filter(frames["metrics"]["name"] == "loss")
    assert loss.select("step", "epoch", "split", "value").rows() == [
        (0, 0.0, "train", 2.0),
        (1, 0.0, "train", 1.75),
        (2, 1.0, "train", 1.5),
        (3, 1.0, "train", 1.25),
    ]
    assert curve(frames, "grad_norm")[-1] == (3, math.inf)
    best = frames["metrics"].filter(frames["metrics"]["name"] == "best")
    assert best.select("split", "value").rows() == [("summary", 1.25)]
    assert settings(frames) == {"lr": "0.001", "model_width": "64", "name": "small"}
    assert frames["events"].select("kind", "severity", "fields").rows()[-1] == ("run_failed", "error", '{"code": 3}')
    assert (info.binary, info.unread_lines, info.truncated, info.stopped) == (True, 0, False, None)


def test_a_trainers_own_step_goes_before_the_count_of_calls(tmp_path: Path) -> None:
    path = tmp_path / "run-1.wandb"
    path.write_bytes(_log([_history(7, **{"train/loss": "2.5", "train/global_step": "500", "_step": "7"})]))
    assert curve(load(path)[0], "loss") == [(500, 2.5)]


def test_a_record_may_run_over_blocks(tmp_path: Path) -> None:
    path = tmp_path / "run-1.wandb"
    path.write_bytes(_log([_history(1, loss="2.5", note='"' + "x" * 100_000 + '"'), _history(2, loss="1.5")]))
    frames, info = load(path)
    assert frames["metrics"].select("line", "offset", "step", "value").rows()[0] == (1, 7, 1, 2.5)
    assert curve(frames, "loss") == [(1, 2.5), (2, 1.5)]
    assert info.left_out == {"values that are no numbers": 1}


def test_pictures_are_counted_and_the_machine_has_no_step(tmp_path: Path) -> None:
    watched = messages.Record()
    watched.stats.timestamp.seconds = 1_700_000_000
    watched.stats.item.add(key="gpu.0.temp", value_json="61.0")
    path = tmp_path / "run-1.wandb"
    path.write_bytes(_log([watched, _history(1, loss="2.5", sample='{"_type": "image-file", "width": 3}')]))
    frames, info = load(path)
    row = frames["metrics"].filter(frames["metrics"]["name"] == "system_gpu_0_temp")
    assert row.select("step", "ts", "value").rows() == [(None, "2023-11-14 22:13:20.000+00:00", 61.0)]
    assert info.left_out == {"pictures, histograms and tables": 1}


def test_the_last_record_is_cut_off(offline: Path, tmp_path: Path) -> None:
    path = tmp_path / "run-1.wandb"
    path.write_bytes(offline.read_bytes()[:-3])
    frames, info = load(path)
    assert len(curve(frames, "loss")) == 4
    assert (info.truncated, info.unread_lines) == (True, 1)


def test_damage_ends_the_reading_and_is_said(tmp_path: Path) -> None:
    data = bytearray(_log([_history(1, loss="2.5"), _history(2, loss="1.5")]))
    data[-1] ^= 1
    path = tmp_path / "run-1.wandb"
    path.write_bytes(data)
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5)]
    assert info.stopped == f"record 2 (byte {7 + (len(data) - 7) // 2}): the data do not fit their checksum"


def test_a_file_without_a_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run-1.wandb"
    path.write_bytes(_log([]) + b"\1\2")
    with pytest.raises(PostmortemError, match="no complete record"):
        load(path)


def test_without_its_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run-1.wandb"
    path.write_bytes(_log([_history(1, loss="2.5")]))
    monkeypatch.setitem(sys.modules, "wandb.proto.wandb_internal_pb2", None)
    with pytest.raises(PostmortemError, match=r"pip install 'postmortem\[wandb\]'"):
        load(path)
