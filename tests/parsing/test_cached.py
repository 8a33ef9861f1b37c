"""Dialects that are kept: the same as those that are read, never out of date, and never needed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.parsing import cached, dialect, names

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
name: mine
title: t
source: s
placeholders: {loss: [.nan, 1]}
lines:
  - pattern: "loss is {loss:num}"
    frame: metrics
    sample: {text: loss is inf, gives: {loss: .inf}}
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTMORTEM_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


def kept(path: Path) -> list[Path]:
    return sorted((path.parent / "cache" / "postmortem").glob("*"))


def test_what_was_kept_is_what_was_read(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached.load([mine])
    monkeypatch.delattr(dialect, "load")  # the second time no YAML is read
    again = cached.load([mine])
    assert repr(again) == repr(first)
    assert again[0].path == str(mine)
    assert again[0].lines[0].sample.gives == {"loss": float("inf")}


def test_a_changed_dialect_is_read_anew(mine: Path) -> None:
    cached.load([mine])
    mine.write_text(TEXT.replace("title: t", "title: changed"))
    assert cached.load([mine])[0].title == "changed"
    assert len(kept(mine)) == 2


def test_a_broken_dialect_is_never_kept(mine: Path) -> None:
    mine.write_text(TEXT.replace("loss:num", "loss:number"))
    for _ in range(2):
        with pytest.raises(PostmortemError, match="has type 'number'"):
            cached.load([mine])
    assert kept(mine) == []


def test_a_kept_file_that_is_damaged_is_done_without(mine: Path) -> None:
    cached.load([mine])
    (place,) = kept(mine)
    place.write_text('[{"name": 3}]')
    assert cached.load([mine])[0].name == "mine"


def test_what_json_cannot_hold_is_not_kept(mine: Path) -> None:
    mine.write_text(TEXT.replace("loss is inf, gives: {loss: .inf}", "loss is 1, gives: {loss: 1, ts: 2026-03-01}"))
    assert [str(cached.load([mine])[0].lines[0].sample.gives["ts"]) for _ in range(2)] == ["2026-03-01"] * 2
    assert kept(mine) == []


def test_only_the_newest_are_kept(mine: Path) -> None:
    for number in range(6):
        mine.write_text(TEXT.replace("title: t", f"title: t{number}"))
        cached.load([mine])
    assert len(kept(mine)) == 4


@pytest.mark.parametrize("folder", ["0", "/proc/no/such"])
def test_without_a_folder_dialects_are_read(mine: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setenv("POSTMORTEM_CACHE", folder)
    assert [cached.load([mine])[0].name for _ in range(2)] == ["mine", "mine"]
    assert kept(mine) == []


def test_names_that_were_kept_are_those_that_were_read(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asdict(names.load.__wrapped__())
    assert first["metrics"]["lm_loss"] == "lm_loss"
    monkeypatch.delattr(names, "_read")  # the second time no YAML is read
    assert asdict(names.load.__wrapped__()) == first
    (place,) = kept(mine)
    place.write_text('{"metrics": {}}')
    with pytest.raises(NameError):  # a damaged file is done without
        names.load.__wrapped__()
