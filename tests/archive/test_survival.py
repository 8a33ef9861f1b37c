"""An addition survives a bad log, a killed worker and its own end: nothing is lost, and nothing there twice."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from postmortem.archive.database import Database
from tests.archive import kill, logs

if TYPE_CHECKING:
    from pathlib import Path

_RUNS = 40


def write(folder: Path, numbers: range) -> None:
    """Logs that differ; every second one has failed."""
    for number in numbers:
        (folder / f"run-{number:02d}.log").write_text(
            f"seed = {number}\n" + (logs.FAILED if number % 2 else logs.HEALTHY)
        )


def write_unreadable(folder: Path) -> None:
    """No log, nothing at all, and noise."""
    (folder / "words.log").write_text("To be or not to be\n")
    (folder / "empty.log").write_text("")
    (folder / "noise.log").write_bytes(bytes(range(256)) * 40)


def adding(store: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "postmortem", "archive", "add", "-j", "2", str(store), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def holds_all(store: Path) -> None:
    with Database(store) as database:
        raw = database.ask("SELECT count(*), count(DISTINCT run) FROM kept").row(0)
        judged = database.ask("SELECT failed, count(*) FROM runs WHERE problem IS NULL GROUP BY failed ORDER BY failed")
        problems = database.ask("SELECT name FROM runs WHERE problem IS NOT NULL ORDER BY name")
        metrics = database.ask("SELECT count(*) FROM metrics").item()
    assert raw == (_RUNS + 3, _RUNS + 3)
    assert judged.rows() == [(False, _RUNS // 2), (True, _RUNS // 2)]
    assert [name.rpartition("/")[2] for name in problems["name"]] == ["empty.log", "noise.log", "words.log"]
    assert metrics == _RUNS // 2 * 100  # loss and norm of 50 steps


def test_a_killed_worker_and_a_killed_run_lose_nothing(tmp_path: Path) -> None:
    folder, store = tmp_path / "logs", tmp_path / "store"
    folder.mkdir()
    write(folder, range(_RUNS // 2))
    write_unreadable(folder)
    with adding(store, folder) as first:
        kill.a_worker(first.pid)
        kill.wait_for(store, "parts/[!.]*", first)
        kill.everything(first.pid)
    write(folder, range(_RUNS // 2, _RUNS))  # so that there is work, however far the first one came
    with adding(store, folder) as second:
        kill.a_worker(second.pid)
        told, problems = second.communicate(timeout=300)
    assert second.returncode == 2, problems
    assert "3 not judged" in told
    holds_all(store)
    with adding(store, folder) as third:
        told, _ = third.communicate(timeout=300)
    assert third.returncode == 2  # what could not be judged is no pass the next time either
    assert f"0 runs judged, {_RUNS + 3} unchanged, 0 copies, 3 not judged" in told
    holds_all(store)
