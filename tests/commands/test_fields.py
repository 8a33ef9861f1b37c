"""`postmortem fields`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from postmortem.cli import main
from postmortem.parsing.understanding import Happened, Name, ReadBy, Stated, Understanding, Unread
from tests import users

LOG = (
    "HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz\n"
    "step 1: loss=2.5, wobble=7\n"
    "step 2: loss=nan, wobble=8\n"
    "\n" + "".join(f"The mood is \x1b[1m{i} points\x1b[0m \u202egood\n" for i in range(3)) + "One more thing\n"
)
DOCS = (Path(__file__).parent.parent.parent / "docs" / "fields.md").read_text()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["fields", *map(str, arguments)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text(LOG)
    return path


def parsed(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    (found,) = json.loads(result.stdout)["logs"]
    assert isinstance(found, dict)
    return found


def test_the_page_says_who_read_what(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"{log}   8 lines: 3 read, 4 unread (57.1%), 1 blank"
    assert lines[2:5] == [
        "Read by",
        "  generic  3  any key=value, key: value, range or counter",
        "    line 1  HF_TOKEN=***",
    ]
    (loss,) = (line.split() for line in lines if line.startswith("  loss"))
    assert [*loss[:3], *loss[-4:]] == ["loss", "loss", "names.yaml", "2", "2", "2.5", "nan"]
    (wobble,) = (line for line in lines if line.startswith("  wobble"))
    assert "nobody: kept" in wobble
    assert "  3  The mood is 0 points \\u202egood" in lines
    assert "    line 5  The mood is 0 points \\u202egood" in lines


def test_a_secret_is_masked_and_no_code_reaches_the_terminal(log: Path) -> None:
    for arguments in ((), ("--json",), ("--skeleton",)):
        shown = run(log, *arguments).stdout
        assert "abcdefghij" not in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_as_many_unread_kinds_as_asked_for_are_shown(log: Path) -> None:
    shown = run(log, "--unread", "1").stdout
    assert "The mood is" in shown
    assert "One more thing" not in shown
    assert "  ... 1 kinds more, 1 records; --unread N shows N kinds" in shown.splitlines()
    assert [one["records"] for one in parsed(log, "--unread", "1")["unread"]] == [3]
    assert parsed(log, "--unread", "0")["unread"] == []
    assert parsed(log, "--unread", "0")["unread_kinds"] == 2


def test_a_long_table_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"step 1: loss=2.5, m_{chr(97 + i)}=7\n" for i in range(25)))
    shown = run(tmp_path / "a.log").stdout
    assert "  ... 6 names more; --all shows them" in shown.splitlines()  # 26 names, 20 rows
    assert "m_y" not in shown
    assert "m_y" in run(tmp_path / "a.log", "--all").stdout


def test_the_json_counts_what_the_page_does(log: Path) -> None:
    found = parsed(log)
    assert (found["lines"], found["read_lines"], found["unread_lines"], found["blank_lines"]) == (8, 3, 4, 1)
    assert [(one["name"], one["values"], one["last"]) for one in found["names"]] == [
        ("loss", 2, "nan"),
        ("wobble", 2, "8"),
    ]
    (token,) = found["settings"]
    assert (token["source_name"], token["first"]) == ("HF_TOKEN", "***")


def test_the_keys_of_the_json_are_documented(log: Path) -> None:
    assert set(json.loads(run(log, "--json").stdout)) == {"schema_version", "tool_version", "logs"}
    assert set(parsed(log)) == {*Understanding.model_fields, "unread_kinds"}
    written = {key for row in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCS, re.MULTILINE) for key in row.split(", ")}
    models = (Understanding, ReadBy, Name, Stated, Happened, Unread)
    keys = {f"`{field}`" for model in models for field in model.model_fields}
    assert written == {*keys, "`unread_kinds`", "`schema_version`", "`tool_version`", "`logs`"}


def test_a_skeleton_is_a_dialect_that_reads_the_lines(log: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(run(log, "--skeleton").stdout)
    assert CliRunner().invoke(main, ["formats", "test", str(mine)]).exit_code == 0
    found = parsed(log, "--formats", mine)
    assert found["unread_lines"] == 1
    assert {one["dialect"]: one["records"] for one in found["read_by"]} == {"generic": 3, "mine": 3}


def test_a_log_of_nothing_known_is_understood_too(tmp_path: Path) -> None:
    (tmp_path / "own.log").write_text(users.LOG)
    result = run(tmp_path / "own.log")
    assert result.exit_code == 0
    assert "  3  Zug 0: Verlust gleich 0,0 Punkte" in result.stdout.splitlines()
    assert "--skeleton" in result.stdout


def test_the_configuration_names_dialects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users.dialect(tmp_path)
    (tmp_path / "postmortem.toml").write_text('formats = ["mine.yaml"]\n')
    (tmp_path / "own.log").write_text(users.LOG)
    monkeypatch.chdir(tmp_path)
    assert [one["dialect"] for one in parsed("own.log")["names"]] == ["mine"]


def test_a_table_is_shown_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("step,loss,note\n1,2.5,a\n2,2.25,b\n")
    lines = run(path).stdout.splitlines()
    assert lines[0] == f"{path}   read by the reader delimited   3 lines: 3 read, 0 unread"
    assert "Left out: it was understood, and no frame has a place for it" in lines


def test_stdin_is_read() -> None:
    command = [sys.executable, "-m", "postmortem", "fields", "-", "--json"]
    done = subprocess.run(command, input=LOG.encode(), capture_output=True, check=True)
    assert json.loads(done.stdout)["logs"][0]["lines"] == 8


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        (None, (), "a.log: no such file"),
        (b"", (), "a.log: the file is empty"),
        (b"\x89PNG\r\n\x1a\n", (), "a.log: not a text log but a picture"),
        (b"loss=2.5\n", ("--skeleton",), "a.log: no dialect to begin: every line was read"),
        (b"loss=2.5\n1 2 3\n", ("--skeleton",), "a.log: no dialect to begin: no unread line holds text to know it by"),
        (b"step,loss\n1,2.5\n2,2.25\n", ("--skeleton",), "a.log: read by the reader delimited"),
        (b"loss=2.5\n", ("--skeleton", "--json"), "--skeleton and --json: give one of the two"),
        (b"loss=2.5\n", ("--formats", "none.yaml"), "none.yaml: no such file or folder of dialects"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, arguments: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("a.log").write_bytes(content)
    result = run("a.log", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"postmortem: {reason}")
    assert len(result.stderr.splitlines()) == 1
