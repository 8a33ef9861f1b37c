"""A list of objects in one JSON file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from tests.readers.reading import curve, load, reader_of

if TYPE_CHECKING:
    from pathlib import Path


def test_each_object_is_a_record_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[\n  {"step": 1, "loss": 2.5},\n  7,\n  {\n    "step": 2,\n    "loss": 1.5\n  }\n]\n')
    frames, info = load(path)
    assert frames["metrics"].select("line", "offset", "step", "value").rows() == [(2, 2, 1, 2.5), (4, 35, 2, 1.5)]
    assert (info.reader, info.lines, info.unread_lines, info.stopped) == ("json_list", 8, 1, None)


def test_a_file_that_is_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1, "loss": 2.5},\n {"step": 2, "lo')
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5)]
    assert info.truncated
    assert info.stopped == "line 2: the file is cut off"


def test_a_broken_item_ends_the_reading_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1, "loss": 2.5},\n {"step": 2 "loss": 1},\n {"step": 3, "loss": 1}]\n')
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5)]
    assert (info.truncated, info.stopped) == (False, "line 2: broken JSON")


def test_nesting_without_end_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1, "loss": 2.5}, {"a": ' + "[" * 200_000 + "]" * 200_000 + "}]")
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5)]
    assert info.stopped == "line 1: nested too deeply"


def test_a_list_without_an_object_is_refused_or_no_history(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1')
    with pytest.raises(PostmortemError, match="no complete object"):
        load(path)
    path.write_text(json.dumps([1, 2, 3]))
    assert reader_of(path) is None


def test_what_is_larger_than_memory_likes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmortem.readers._json.LARGEST", 2**20)
    path = tmp_path / "history.json"
    path.write_text('[{"step": 1, "text": "' + "x" * 2**20 + '"}]')
    with pytest.raises(PostmortemError, match="more than 1 MiB"):
        load(path)
