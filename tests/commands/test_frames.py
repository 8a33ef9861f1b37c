"""`postmortem frames`."""

from __future__ import annotations

import csv
import io
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import CliRunner

from postmortem import frames
from postmortem.cli import main
from postmortem.commands import frames as command
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

LOG = "lr = 0.5\nstep 1: loss=2.5, grad_norm=inf\nstep 2: loss=nan, grad_norm=4.0\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["frames", *map(str, arguments)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.log"
    path.write_text(LOG)
    return path


def test_the_names_are_those_of_the_frames() -> None:
    assert command._NAMES == frames.FRAMES


def test_a_frame_is_printed_as_csv(log: Path) -> None:
    result = run(log, "--frame", "metrics")
    assert result.exit_code == 0
    rows = csv.DictReader(io.StringIO(result.stdout))
    assert [(row["line"], row["step"], row["name"], row["value"], row["text"]) for row in rows] == [
        ("2", "1", "loss", "2.5", "2.5"),
        ("2", "1", "grad_norm", "inf", "inf"),
        ("3", "2", "loss", "NaN", "nan"),
        ("3", "2", "grad_norm", "4.0", "4.0"),
    ]


def test_a_terminal_shows_the_first_rows_of_all_frames(log: Path) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "postmortem", "frames", str(log)]
    done = subprocess.run(command, stdout=terminal, env={**os.environ, "COLUMNS": "60"}, check=False)
    os.close(terminal)
    shown = os.read(controller, 4096).decode().replace("\r\n", "\n")
    os.close(controller)
    assert done.returncode == 0
    assert shown.startswith("metrics: 4 rows, 18 columns\nin every row: ")
    assert "\n2     1     grad_norm  inf" in shown
    assert all(f"\n{name}: " in shown for name in ("tensors", "events", "settings", "jobs"))
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize("output", ["out", "out/", "out/{frame}.parquet"])
def test_all_frames_are_written(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(log, "-o", output)
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{name}.parquet" for name in frames.FRAMES}
    assert pl.read_parquet(tmp_path / "out" / "metrics.parquet").schema == frames.schema("metrics")
    assert "out/metrics.parquet: 4 rows of metrics\n" in result.stdout


def test_one_frame_is_written(log: Path, tmp_path: Path) -> None:
    assert run(log, "--frame", "settings", "-o", tmp_path / "s.csv").exit_code == 0
    (row,) = csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text()))
    assert (row["line"], row["key"], row["value"], row["number"]) == ("1", "lr", "0.5", "0.5")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "which frame? Add --frame with one of metrics, tensors, events, settings, jobs"),
        (("-o", "x.csv"), "-o x.csv: one file for 5 frames"),
        (("-o", "{frame}.xlsx"), "metrics.xlsx: no format has the suffix '.xlsx'"),
        (("--frame", "metrics", "-o", "/dev/null/x.csv"), "/dev/null/x.csv: cannot be written"),
        (("--frame", "metrics", "--formats", "none.yaml"), "none.yaml: no such file or folder of dialects"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(log: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(log, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"postmortem: {reason}")
    assert len(result.stderr.splitlines()) == 1


def test_the_users_dialect_reads(tmp_path: Path) -> None:
    (tmp_path / "own.log").write_text(users.LOG)
    result = run(tmp_path / "own.log", "--frame", "metrics", "--formats", users.dialect(tmp_path))
    assert [row["dialect"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["mine"] * 3
