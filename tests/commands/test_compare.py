"""`postmortem compare` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from postmortem.cli import main

if TYPE_CHECKING:
    from click.testing import Result

LOGS = Path(__file__).parents[2] / "sample_logs"
BEFORE, AFTER = LOGS / "job-7204315.log", LOGS / "job-7204342.log"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], prog_name="postmortem")


def test_a_finding_that_came_exits_with_one_unless_it_is_below_the_threshold() -> None:
    result = run(BEFORE, AFTER, "--fix", "eps=1e-8:1e-5")
    assert result.exit_code == 1  # run/silent-exit, of severity medium
    assert "eps 1e-8 -> 1e-5   acted" in result.stdout
    assert run(BEFORE, AFTER, "--fail-on", "high").exit_code == 0


def test_nothing_that_came_exits_with_zero() -> None:
    assert run(AFTER, AFTER).exit_code == 0


def test_a_file_is_written_in_the_format_of_its_suffix(tmp_path: Path) -> None:
    result = run(BEFORE, AFTER, "-o", tmp_path / "c.json", "-o", tmp_path / "c.html")
    assert result.stdout.startswith("job-7204315.log -> job-7204342.log")
    assert json.loads((tmp_path / "c.json").read_text())["pairs"][0]["after"] == 1
    assert (tmp_path / "c.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((BEFORE,), "compare: one log has nothing to be held against; name two or more"),
        ((BEFORE, "nowhere.log"), "nowhere.log: no such file; check the path"),
        ((BEFORE, AFTER, "--fix", "eps"), "--fix eps: write KNOB=OLD:NEW or KNOB=NEW, for instance eps=1e-5:1e-3"),
        ((), "Missing argument 'BEFORE AFTER...'. See postmortem compare --help."),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(arguments: tuple[object, ...], line: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == f"postmortem: {line}\n"
