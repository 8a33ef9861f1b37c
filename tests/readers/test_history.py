"""One JSON object of lists, each a curve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from tests.readers.reading import load, reader_of

if TYPE_CHECKING:
    from pathlib import Path


def _rows(path: Path) -> list[tuple[object, ...]]:
    frames, info = load(path)
    assert info.reader == "history"
    return frames["metrics"].select("name", "split", "epoch", "step", "value").rows()


def test_each_list_is_a_curve_over_epochs_from_one(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('{"loss": [2.5, 1.5, NaN],\n "val_loss": [2.75, 2.0, 1.75]}\n')
    frames, info = load(path)
    found = frames["metrics"].select("line", "record", "split", "epoch", "text").rows()
    assert found == [
        (1, 0, None, 1.0, "2.5"),
        (1, 1, None, 2.0, "1.5"),
        (1, 2, None, 3.0, "NaN"),
        (2, 0, "eval", 1.0, "2.75"),
        (2, 1, "eval", 2.0, "2.0"),
        (2, 2, "eval", 3.0, "1.75"),
    ]
    assert (info.reader, info.lines, info.unread_lines) == ("history", 2, 0)


def test_columns_of_a_data_frame_and_lists_in_another_object(tmp_path: Path) -> None:
    path = tmp_path / "frame.json"
    path.write_text('{"loss":{"0":2.5,"1":1.5,"2":1.25}}')
    assert _rows(path) == [
        ("loss", None, 1.0, None, 2.5),
        ("loss", None, 2.0, None, 1.5),
        ("loss", None, 3.0, None, 1.25),
    ]
    path.write_text(
        '{"train": {"loss": ["2.5", "1.5", null]}, "best_loss": 1.5, "config": {"lr": 0.125}, "sizes": [3, [4]]}'
    )
    assert _rows(path) == [
        ("best_loss", None, None, None, 1.5),
        ("loss", "train", 1.0, None, 2.5),
        ("loss", "train", 2.0, None, 1.5),
    ]
    frames, info = load(path)
    assert frames["settings"].select("key", "number").rows() == [("lr", 0.125)]
    assert info.left_out == {"lists that are no curve": 1}


def test_a_list_that_counts_places_those_of_its_length(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": [3.5, 2.5, 1.5], "step": [10, 20, 30], "acc": [0.25, 0.5, 0.75, 1.0]}))
    assert _rows(path) == [
        ("loss", None, None, 10, 3.5),
        ("loss", None, None, 20, 2.5),
        ("loss", None, None, 30, 1.5),
        *(("accuracy", None, None, None, value) for value in (0.25, 0.5, 0.75, 1.0)),
    ]


def test_lists_of_a_rarer_length_keep_only_their_order(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": [3.5, 2.5, 1.5], "val_loss": [4.5, 3.5, 2.5], "batch_time": [0.5] * 4}))
    assert [row[2] for row in _rows(path)] == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, None, None, None, None]


def test_what_begins_with_a_pair_or_is_lines_of_objects_is_for_others(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"betas": [0.9, 0.999], "lr": 0.001}\n')
    assert reader_of(path) != "history"
    path.write_text('{"grads": [0.5, 0.25, 0.75], "step": 1}\n{"grads": [0.5, 0.25, 0.75], "step": 2}\n')
    assert reader_of(path) == "json_lines"


def test_an_object_that_is_cut_off_or_holds_no_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('{"loss": [2.5, 1.5, 0.5')
    with pytest.raises(PostmortemError, match="broken or was cut off"):
        load(path)
    path.write_text('{"loss": [2.5, 1.5, 0.5, "x"]}')
    with pytest.raises(PostmortemError, match="no list of 3 numbers"):
        load(path)
