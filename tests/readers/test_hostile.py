"""Whatever a file holds, its reader gives rows or refuses it in one line; it neither hangs nor shows a traceback."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary

from postmortem import frames, readers
from postmortem.errors import PostmortemError
from postmortem.parsing import names
from postmortem.parsing.rows import Rows
from tests.readers.heads import HEADS
from tests.readers.test_event_file import _record
from tests.readers.test_wandb_run import _history, _log

_WORDS = st.sampled_from(
    [
        *(
            "nan",
            "-inf",
            "1e999",
            "9" * 400,
            "0:9",
            "1-02:03:04",
            "CANCELLED by 0",
            "1_[2-3]",
            "UNLIMITED",
            "9999999999E",
        ),
        *(
            '"',
            "{",
            "[",
            "]",
            "}",
            ",",
            "|",
            "\n",
            "\t",
            "=",
            ":",
            " ",
            "\x00",
            "\ufeff",
            "step",
            "epoch",
            "loss",
            "true",
        ),
        *("JobId=2 JobName=b ", "Job ID: 2\n", "Nodes: 5\n", '"exit_code": ', '"tres": ', '"count": ', "null", "-1"),
    ]
)


def _read(name: str, file: str, data: bytes) -> None:
    """Read `data` by this reader: rows with the right counts, or one line of refusal."""
    refused, info, rows = "", None, Rows(names.load())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(data)
        reader = next(one for one in readers._readers() if one.__name__.endswith(f".{name}"))
        try:
            info = reader.read(path, rows)
        except PostmortemError as error:
            refused = str(error)
    assert (info is None) is bool(refused)
    assert "\n" not in refused
    assert info is None or info.bytes == len(data)
    assert all(frame.schema == frames.schema(name) for name, frame in rows.frames().items())


def test_every_reader_is_found_by_its_head(tmp_path: Path) -> None:
    assert sorted(HEADS) == readers.names()
    for name, (file, head) in HEADS.items():
        path = tmp_path / file
        path.write_bytes(head)
        found = readers.find(path)
        assert found is not None
        assert found.__name__ == f"postmortem.readers.{name}"


def test_every_reader_is_documented() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    assert [name for name in readers.names() if f"| `{name}` |" not in guide] == []


def test_a_plain_log_and_an_empty_file_are_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("step 1 loss 2.5\nstep 2 loss 1.5\n")
    assert readers.find(path) is None
    assert readers.read(path, Rows(names.load())) is None
    path.write_bytes(b"")
    assert readers.find(path) is None


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="no such file"):
        readers.find(tmp_path / "none.csv")
    with pytest.raises(PostmortemError, match="folder"):
        readers.find(tmp_path)


@pytest.mark.parametrize("name", sorted(HEADS))
@settings(max_examples=40)
@given(tail=st.binary(max_size=300), cut=st.integers(0, 100))
def test_bytes_behind_a_good_head(name: str, tail: bytes, cut: int) -> None:
    file, head = HEADS[name]
    _read(name, file, head[: len(head) - min(cut, len(head))] + tail)


@pytest.mark.parametrize("name", sorted(set(HEADS) - {"event_file", "wandb_run"}))
@settings(max_examples=60)
@given(tail=st.lists(_WORDS, max_size=30))
def test_words_behind_a_good_head(name: str, tail: list[str]) -> None:
    file, head = HEADS[name]
    _read(name, file, head + "".join(tail).encode())


@settings(max_examples=60)
@given(st.binary(max_size=100), st.floats(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=30))
def test_events_of_any_content(noise: bytes, number: float, step: int, tag: str) -> None:
    _, head = HEADS["event_file"]
    tensor = {"dtype": 1, "tensor_content": noise}
    values = [Summary.Value(tag=tag, simple_value=number), Summary.Value(tag=tag, tensor=tensor)]
    values[1].metadata.plugin_data.plugin_name = "hparams"
    values[1].metadata.plugin_data.content = noise
    event = Event(wall_time=number, step=step, summary=Summary(value=values)).SerializeToString()
    _read("event_file", "events.out.tfevents.1", head + _record(event) + _record(noise))


@settings(max_examples=60)
@given(st.text(max_size=30), st.binary(max_size=50))
def test_runs_of_any_content(text: str, noise: bytes) -> None:
    chunk = struct.pack("<IHB", 0, len(noise), 1) + noise
    _read("wandb_run", "run-1.wandb", _log([_history(1, loss=text), _history(2**62, a="1e999")]) + chunk)


def test_json_of_any_nesting_is_refused_or_read(tmp_path: Path) -> None:
    deep = b'{"a":' * 50_000
    for name in ("trainer_state", "sacct_json", "json_list"):
        file, head = HEADS[name]
        _read(name, file, head + deep)
        _read(name, file, head + b"1], " + b'"b": ' + deep)
    path = tmp_path / "x.json"
    path.write_bytes(deep)
    with pytest.raises(PostmortemError, match="none of its 1 lines is a JSON object"):
        readers.read(path, Rows(names.load()))
