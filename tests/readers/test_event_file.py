"""Event files as tensorboardX writes them, whole, cut and damaged."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tensorboardX import SummaryWriter
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from postmortem.errors import PostmortemError
from tests.readers.reading import curve, load, reader_of, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _masked(data: bytes) -> int:
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _record(message: bytes) -> bytes:
    length = struct.pack("<Q", len(message))
    return length + struct.pack("<I", _masked(length)) + message + struct.pack("<I", _masked(message))


def _write(folder: Path, fill: Callable[[SummaryWriter], None]) -> Path:
    writer = SummaryWriter(str(folder))
    fill(writer)
    writer.close()
    return next(folder.glob("events.out.tfevents.*"))


def _losses(writer: SummaryWriter) -> None:
    for step, loss in enumerate([2.5, 0.1, math.nan]):
        writer.add_scalar("train/loss", loss, step * 10, walltime=1_700_000_000 + step)


def test_scalars_are_metrics(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    assert reader_of(path) == "event_file"
    frames, info = load(path)
    rows = frames["metrics"].select("line", "step", "name", "split", "ts", "text").rows()
    # the first record is the file's version; 0.1 is stored in 32 bits and printed as such
    assert rows == [
        (2, 0, "loss", "train", "2023-11-14 22:13:20.000+00:00", "2.5"),
        (3, 10, "loss", "train", "2023-11-14 22:13:21.000+00:00", "0.1"),
        (4, 20, "loss", "train", "2023-11-14 22:13:22.000+00:00", "nan"),
    ]
    assert (info.lines, info.unread_lines, info.binary, info.truncated, info.stopped) == (4, 0, True, False, None)
    # time 9 bytes, step 2, summary 2, value 2, tag 2 + 10, number 5
    assert path.read_bytes()[frames["metrics"]["offset"][1] :].startswith(struct.pack("<Q", 32))


def test_an_epoch_places_the_other_values_of_its_step(tmp_path: Path) -> None:
    def fill(writer: SummaryWriter) -> None:
        for step, epoch in ((4, 0), (9, 0), (19, 1)):
            writer.add_scalar("train_loss", 0.5, step)
            writer.add_scalar("epoch", epoch, step)
        writer.add_scalar("train_loss", 0.25, 24)

    frames, _ = load(_write(tmp_path, fill))
    rows = frames["metrics"].select("step", "epoch", "name").rows()
    assert rows == [(4, 0.0, "loss"), (9, 0.0, "loss"), (19, 1.0, "loss"), (24, None, "loss")]


def test_new_scalars_are_tensors(tmp_path: Path) -> None:
    def event(step: int, **tensor: object) -> bytes:
        value = Summary.Value(tag="eval/loss", tensor=tensor)
        value.metadata.plugin_data.plugin_name = "scalars"
        message: bytes = Event(step=step, summary=Summary(value=[value])).SerializeToString()
        return message

    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(
        _record(Event(file_version="brain.Event:2").SerializeToString())
        + _record(event(1, dtype=1, tensor_content=struct.pack("<f", 1.5)))
        + _record(event(2, dtype=2, double_val=[1.25]))
        + _record(event(3, dtype=9, int64_val=[3]))
        + _record(event(4, dtype=1, tensor_content=b"\0" * 8))
    )
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 1.5), (2, 1.25), (3, 3.0)]
    assert info.left_out == {"values of other kinds": 1}


def test_pictures_and_histograms_are_counted(tmp_path: Path) -> None:
    def fill(writer: SummaryWriter) -> None:
        writer.add_scalar("loss", 1.5, 1)
        writer.add_histogram("weights", np.arange(10.0), 1)
        writer.add_image("sample", np.zeros((3, 4, 4)), 1)
        writer.add_text("remark", "all is well", 1)

    frames, info = load(_write(tmp_path, fill))
    assert curve(frames, "loss") == [(1, 1.5)]
    assert info.left_out == {"histograms": 1, "pictures": 1, "text values": 1}


def test_text_that_is_a_configuration(tmp_path: Path) -> None:
    args = {"learning_rate": 5e-05, "fp16": True, "optim_args": None, "betas": [0.9, 0.95], "model": {"depth": 12}}
    frames, info = load(_write(tmp_path, lambda writer: writer.add_text("args", json.dumps(args))))
    assert settings(frames) == {"lr": "5e-05", "fp16": "True", "model_depth": "12"}
    assert info.left_out == {"lists": 1}


def test_hyperparameters_are_settings(tmp_path: Path) -> None:
    writer = SummaryWriter(str(tmp_path))
    writer.add_hparams({"lr": 0.5, "optimizer": "adam", "use_amp": True}, {"hparam/loss": 1.5}, name="trial")
    writer.close()
    path = next((tmp_path / "trial").glob("events.out.tfevents.*"))
    frames, _ = load(path)
    assert settings(frames) == {"lr": "0.5", "optimizer": "adam", "use_amp": "True"}
    assert frames["metrics"].select("source_name", "value").rows() == [("hparam/loss", 1.5)]


def test_the_last_record_is_cut_off(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    path.write_bytes(path.read_bytes()[:-5])
    frames, info = load(path)
    assert curve(frames, "loss")[0] == (0, 2.5)
    assert len(curve(frames, "loss")) == 2
    assert (info.truncated, info.lines, info.unread_lines, info.stopped) == (True, 4, 1, None)


def test_damage_ends_the_reading_and_is_said(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    data = bytearray(path.read_bytes())
    place = load(path)[0]["metrics"]["offset"][1]
    data[place + 20] ^= 1
    path.write_bytes(data)
    frames, info = load(path)
    assert curve(frames, "loss") == [(0, 2.5)]
    assert info.stopped == f"record 3 (byte {place}): the data do not fit their checksum"
    assert not info.truncated


@pytest.mark.parametrize("length", [2**60, 2**64 - 1])
def test_a_length_that_no_file_has(tmp_path: Path, length: int) -> None:
    path = _write(tmp_path, _losses)
    header = struct.pack("<Q", length)
    with path.open("ab") as stream:
        stream.write(header + struct.pack("<I", _masked(header)) + b"x" * 100)
    frames, info = load(path)
    assert len(curve(frames, "loss")) == 3
    assert info.truncated


def test_a_hole_of_zeros_is_damage(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    size = path.stat().st_size
    with path.open("ab") as stream:
        stream.write(b"\0" * 4096)
    _, info = load(path)
    assert info.stopped == f"record 5 (byte {size}): the length does not fit its checksum"


def test_a_message_that_is_none_is_unread(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    with path.open("ab") as stream:
        stream.write(_record(b"\xff\xff\xff\xff"))
    frames, info = load(path)
    assert len(curve(frames, "loss")) == 3
    assert (info.unread_lines, info.lines) == (1, 5)


def test_a_file_that_is_cut_in_its_first_record_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, _losses)
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(PostmortemError, match="no complete event"):
        load(path)


def test_without_its_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path, _losses)
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX.crc32c", None)
    with pytest.raises(PostmortemError, match=r"pip install 'postmortem\[events\]'") as caught:
        load(path)
    assert "\n" not in str(caught.value)
