"""What is kept of all patterns: what would be worked out, of these patterns alone, and never needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.parsing import index

if TYPE_CHECKING:
    from pathlib import Path

LINES = ["{name:word} output: max={max:num}", "XV output: max={max:num}", "top1 {top1:num}"]
STARTS = ["range of {name:word}"]
PARTS = ["p99 = {p99:num}"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTMORTEM_CACHE", str(tmp_path))
    return tmp_path / "postmortem"


def test_the_order_is_that_of_literal_text_and_digits_are_noted() -> None:
    found = index.of(LINES, STARTS, PARTS)
    assert found.order == [1, 0, 2]
    assert found.telling == ["output:"]
    assert found.numbered == ["p99 = ", "top1 "]
    assert len(found.runs) == 3 + 1 + 2


def test_what_was_kept_is_what_was_worked_out(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = index.kept(LINES, STARTS, PARTS)
    monkeypatch.delattr(index, "of")  # the second time nothing is worked out
    assert index.kept(LINES, STARTS, PARTS) == first
    assert len(list(cache.iterdir())) == 1


def test_other_patterns_are_worked_out_anew(cache: Path) -> None:
    index.kept(LINES, STARTS, PARTS)
    assert index.kept(LINES[::-1], STARTS, PARTS) == index.of(LINES[::-1], STARTS, PARTS)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["[1]", "[[0], [], [], []]", "no JSON"])
def test_a_kept_file_that_is_damaged_is_done_without(cache: Path, damage: str) -> None:
    index.kept(LINES, STARTS, PARTS)
    (place,) = cache.iterdir()
    place.write_text(damage)
    assert index.kept(LINES, STARTS, PARTS) == index.of(LINES, STARTS, PARTS)
