"""Lines of evidence: found again in their files, with what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem import read
from postmortem.evidence import Lines

if TYPE_CHECKING:
    from pathlib import Path


def lines(folder: Path) -> Lines:
    (folder / "a.log").write_text("".join(f"step {step}: loss={step}.5\n" for step in range(1, 6)))
    (folder / "b.log").write_text("".join(f"step {step}: loss={step}.5\n" for step in range(6, 9)))
    return Lines(read(str(folder)))


def test_a_line_is_one_of_one_file(tmp_path: Path) -> None:
    found = lines(tmp_path)
    assert found.place(5) == (f"{tmp_path}/a.log", 5)
    assert found.place(6) == (f"{tmp_path}/b.log", 1)
    assert [(last, log.lines) for last, log in found.ends()] == [(5, 5), (8, 3)]


def test_two_lines_around_each_are_shown_and_none_of_another_file(tmp_path: Path) -> None:
    found = lines(tmp_path).evidence([1, 3, 8])
    assert (found[1].before, found[1].text, found[1].after) == (
        [],
        "step 1: loss=1.5",
        ["step 2: loss=2.5", "step 3: loss=3.5"],
    )
    assert found[3].before == ["step 1: loss=1.5", "step 2: loss=2.5"]
    assert (found[8].file, found[8].line, found[8].after) == (f"{tmp_path}/b.log", 3, [])
    assert found[8].before == ["step 6: loss=6.5", "step 7: loss=7.5"]
