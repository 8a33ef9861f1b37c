"""Evidence is found again by its line number."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from postmortem.sources.excerpt import excerpt, shown

if TYPE_CHECKING:
    from pathlib import Path


def test_codes_inside_a_value_are_removed() -> None:
    assert shown(b"loss=\x1b[31m2\x1b[0m.5\x1b]0;title\x07!\x00\n") == "loss=2.5!"


def test_an_excerpt_is_the_last_state_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n10%\r20%\r\nthree\n")
    assert excerpt(str(path), {2, 3}) == {2: "20%", 3: "three"}


@pytest.mark.parametrize("packed", [False, True])
def test_an_index_changes_the_way_and_not_what_is_found(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001
    path = tmp_path / "x.log"
    content = b"".join(b"line %d\n" % i for i in range(1, 101))
    path.write_bytes(gzip.compress(content) if packed else content)
    index = [(1, 0), (41, content.index(b"line 41\n")), (90, content.index(b"line 90\n"))]
    wanted = {1, 40, 41, 42, 89, 90, 100, 101}
    expected = {line: f"line {line}" for line in wanted - {101}}
    assert excerpt(str(path), wanted, index) == excerpt(str(path), wanted) == expected


def test_of_an_endless_line_the_end_is_shown_as_far_as_a_report_can(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"a" * 3_000_000 + b"\rlast state\nnext\n")
    assert excerpt(str(path), {1, 2}) == {1: "last state", 2: "next"}
