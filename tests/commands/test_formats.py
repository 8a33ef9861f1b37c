"""`postmortem formats list|show|test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.parsing import dialects
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["formats", *map(str, arguments)])


def test_the_list_has_every_dialect_and_its_origin(tmp_path: Path) -> None:
    users.dialect(tmp_path, "slurm")
    (tmp_path / "postmortem.toml").write_text('formats = ["slurm.yaml"]\n')
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["name", "title", "lines", "from"]
    assert len(lines) == 1 + len(dialects.shipped().all)
    (own,) = (line for line in lines if line.startswith("slurm "))
    assert own.split("  ")[-1] == f"{tmp_path}/slurm.yaml, replaces shipped"
    assert sum(line.endswith(" shipped") for line in lines) == len(lines) - 1  # all but the heading


def test_the_list_as_json(tmp_path: Path) -> None:
    path = users.dialect(tmp_path)
    rows = json.loads(run("list", "--json", "--formats", path).stdout)
    (own,) = (row for row in rows if row["name"] == "mine")
    assert own == {
        "name": "mine",
        "title": "A trainer of one's own",
        "lines": 1,
        "source": "the tests",
        "path": str(path),
        "from": str(path),
        "replaces": None,
    }
    assert {row["from"] for row in rows} == {"shipped", str(path)}


def test_a_dialect_is_shown_as_a_page(tmp_path: Path) -> None:
    result = run("show", "mine", "--formats", users.dialect(tmp_path))
    assert result.stdout.splitlines() == [
        "mine: A trainer of one's own",
        "source  the tests",
        f"file    {tmp_path}/mine.yaml",
        f"from    {tmp_path}/mine.yaml",
        "",
        "What its counters and metrics mean",
        "  step: update",
        "",
        "What it calls otherwise than everybody",
        "  verlust: loss",
        "",
        "Zug {step:int}: Verlust gleich {verlust:num},{:int} Punkte",
        "  makes   a row of metrics",
        "  sample  Zug 4: Verlust gleich 2,5 Punkte",
        "  gives   step=4, verlust=2.0",
    ]


def test_every_shipped_dialect_has_a_page() -> None:
    for spec in dialects.shipped().all:
        page = run("show", spec.name).stdout
        assert page.count("  sample  ") == len(spec.lines) + sum(1 + len(block.lines) for block in spec.blocks)


def test_a_name_that_nobody_has() -> None:
    result = run("show", "slrum")
    assert result.exit_code == 2
    assert (
        result.stderr
        == "postmortem: slrum: no such dialect; did you mean slurm?; `postmortem formats list` shows all\n"
    )


def test_all_dialects_hold() -> None:
    result = run("test")
    assert result.exit_code == 0
    patterns = sum(
        len(spec.lines) + sum(1 + len(block.lines) for block in spec.blocks) for spec in dialects.shipped().all
    )
    last = result.stdout.splitlines()[-1]
    assert last == f"dialects: {len(dialects.shipped().all)}, patterns: {patterns}, failed: 0"


def test_a_sample_that_gives_something_else_fails(tmp_path: Path) -> None:
    path = users.dialect(tmp_path)
    path.write_text(path.read_text().replace("verlust: 2.0", "verlust: 2.5"))
    (tmp_path / "sound").mkdir()
    users.dialect(tmp_path / "sound", "sound")
    result = run("test", path, tmp_path / "sound")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"failed  {path}  patterns: 1",
        "  line 7  Zug {step:int}: Verlust gleich {verlust:num},{:int} Punkte",
        "    sample    Zug 4: Verlust gleich 2,5 Punkte",
        "    verlust: expected 2.5, read 2.0",
        f"ok      {tmp_path}/sound/sound.yaml  patterns: 1",
        "dialects: 2, patterns: 2, failed: 1",
    ]


def test_a_file_that_cannot_be_used_outweighs_a_failure(tmp_path: Path) -> None:
    path = users.dialect(tmp_path)
    path.write_text(path.read_text().replace("verlust: 2.0", "verlust: 2.5"))
    (tmp_path / "broken.yaml").write_text("name: [\n")
    result = run("test", tmp_path / "broken.yaml", tmp_path / "none.yaml", path)
    assert result.exit_code == 2
    assert "dialects: 1, patterns: 1, failed: 1" in result.stdout
    assert [line.partition(": ")[2].partition(":")[0] for line in result.stderr.splitlines()] == [
        f"{tmp_path}/broken.yaml",
        f"{tmp_path}/none.yaml",
    ]
