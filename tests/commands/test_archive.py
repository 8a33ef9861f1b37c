"""`postmortem archive` as a user meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from postmortem.cli import main
from tests.archive import logs

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["archive", *map(str, arguments)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    logs.write(folder / "logs", good=logs.HEALTHY, bad=logs.FAILED)
    result = run("add", "-j", "1", folder / "store", folder / "logs")
    assert result.exit_code == 0
    assert "2 runs judged, 0 unchanged, 0 copies, 0 not judged, 0 files passed over" in result.stdout
    return folder / "store"


def test_a_named_question_and_one_of_ones_own(store: Path) -> None:
    assert run("query", store).stdout.splitlines()[0].startswith("causes ")
    asked = run("query", store, "causes", "--format", "json")
    assert [row["cause"] for row in json.loads(asked.stdout)["causes"]] == [logs.CAUSE, "no fault shown"]
    asked = run("query", store, "SELECT count(*) AS runs, bool_or(failed) AS any FROM runs")
    assert asked.stdout.splitlines() == ["runs  any", "2     yes"]


def test_rows_as_csv_hold_no_formula(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    query = """SELECT '=1+1' AS "=cmd", '-3.5' AS number, [1, 2] AS list"""
    assert run("query", store, query, "--format", "csv", "-o", file).exit_code == 0
    assert file.read_text() == "'=cmd,number,list\n'=1+1,-3.5,\"[1, 2]\"\n"
    assert pl.read_csv(file).height == 1


@pytest.mark.parametrize("suffix", [".md", ".html", ".json", ".txt"])
def test_a_report_answers_all_questions(store: Path, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"report{suffix}"
    assert run("report", store, "-o", file).exit_code == 0
    text = file.read_text()
    assert logs.CAUSE in text
    titles = {"nodes"} if suffix == ".json" else {"GPU hours by cause", "Nodes that failures share"}
    assert all(title in text for title in titles)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("query", "{store}", "SELECT * FROM read_text('/etc/passwd')"), "Permission Error"),
        (("query", "{store}", "cause"), "no question 'cause'; did you mean causes"),
        (("query", "nowhere", "causes"), "nowhere: no archive; `postmortem archive add"),
        (("report", "{store}", "--format", "csv"), "a CSV file holds one table"),
        (("add", "{store}", "nowhere"), "nowhere: no such file or folder"),
        (("add", "/dev/null/x", "{store}"), "/dev/null/x: no archive can be made there"),
        (("add", "--scheduler", "slurm:x", "{store}2", "{logs}"), "how many jobs? Write slurm:8"),
    ],
)
def test_what_cannot_be_done_is_one_line(store: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*(one.format(store=store, logs=store.parent / "logs") for one in arguments))
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
