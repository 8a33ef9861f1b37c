"""`postmortem check` as a user meets it, with its worker processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from postmortem.cli import main
from tests.archive import logs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", "-j", "1", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return logs.write(tmp_path / "logs", good=logs.HEALTHY, bad=logs.FAILED)


def test_a_folder_is_judged_and_remembered(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index.sqlite"
    (folder / "words.log").write_text("To be or not to be\n")
    result = run(folder, "--index", index)
    assert result.exit_code == 2
    assert result.stdout.splitlines()[-1] == "3 runs · 1 failed · 1 not judged · 1 passed · 3 read, 0 unchanged"
    assert "words.log: no log of a training run" in result.stderr
    (folder / "words.log").unlink()
    outputs = [part for name in ("a.json", "a.sarif", "a.xml", "a.md") for part in ("-o", tmp_path / name)]
    again = run(folder, "--index", index, *outputs)
    assert again.exit_code == 1
    assert "0 read, 2 unchanged" in again.stdout
    assert [one["code"] for one in json.loads((tmp_path / "a.json").read_text())["runs"]] == [1, 0]
    assert logs.CAUSE in (tmp_path / "a.sarif").read_text()
    assert logs.CAUSE in (tmp_path / "a.xml").read_text()
    assert logs.CAUSE in (tmp_path / "a.md").read_text()
    # a baseline that is written quiets what it was written from
    known = tmp_path / "known.yaml"
    refused = run(folder, "--index", index, "--write-baseline", known)
    assert refused.exit_code == 2
    assert "Add --reason TEXT" in refused.stderr
    written = run(folder, "--index", index, "--write-baseline", known, "--reason", "known", "--expires", "2999-01-01")
    assert written.exit_code == 0
    assert "1 findings added, known until 2999-01-01" in written.stderr
    assert run(folder, "--index", index, "--baseline", known).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("nowhere",), "nowhere: no such file or folder"),
        (("{folder}", "--baseline", "none.yaml"), "none.yaml: cannot be read: No such file or directory"),
        (("{folder}", "--exclude", "*.log"), "no log found among 2 files"),
        (("{folder}", "-o", "x.doc"), "-o x.doc: no format has this suffix"),
        (("{folder}", "--index", "/dev/null/x"), "--index /dev/null/x: cannot be used"),
        (("{folder}", "--rules", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line(folder: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*(argument.format(folder=folder) for argument in arguments))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
