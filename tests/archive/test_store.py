"""What an archive holds: by content once, by place as it is now, whole parts or none. Judged in this process."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest

from postmortem.archive import store as stores
from postmortem.archive.add import Added, Addition, add
from postmortem.archive.database import Database
from postmortem.archive.work import Options
from postmortem.errors import PostmortemError
from tests import users
from tests.archive import logs

if TYPE_CHECKING:
    from pathlib import Path


def added(store: Path, *paths: Path, workers: logs.Here | None = None, **changes: object) -> Added:
    return add(Addition(store, [str(path) for path in paths], **changes), workers or logs.Here())  # type: ignore[arg-type]


def asked(store: Path, query: str) -> list[tuple[object, ...]]:
    with Database(store) as database:
        return database.ask(query).rows()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return logs.write(tmp_path / "logs", good=logs.HEALTHY, bad=logs.FAILED)


def test_incident_and_frames_are_kept(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    report = added(store, folder).report
    assert (report.judged, report.problems) == (2, ())
    rows = asked(store, "SELECT name, failed, cause, severity, lines, bytes FROM runs ORDER BY name")
    assert rows == [
        (f"{folder}/bad.log", True, logs.CAUSE, "critical", 2, len(logs.FAILED)),
        (f"{folder}/good.log", False, "no fault shown", None, 50, len(logs.HEALTHY)),
    ]
    assert asked(store, "SELECT rule, line FROM findings WHERE role = 'root_cause'") == [(logs.CAUSE, 2)]
    assert asked(store, "SELECT count(*), sum(value) FROM metrics WHERE name = 'loss'") == [
        (50, pytest.approx(sum(3 - step / 100 for step in range(50))))
    ]
    assert asked(store, "SELECT key, number FROM settings") == [("eps", 1e-5)]
    (incident,) = asked(store, "SELECT incident FROM runs WHERE failed")
    assert json.loads(str(incident[0]))["root_causes"] == [logs.CAUSE]


def test_what_is_there_is_not_judged_again(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    added(store, folder)
    workers = logs.Here()
    again = added(store, folder, workers=workers)
    assert (workers.tasks, again.unchanged, again.report.judged) == ([], 2, 0)


def test_a_copy_is_the_same_run(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    added(store, folder)
    copies = tmp_path / "moved"
    shutil.copytree(folder, copies)
    report = added(store, copies).report
    assert (report.judged, report.copies) == (0, 2)
    assert asked(store, "SELECT count(*) FROM runs") == [(2,)]
    # copies that arrive together are judged together, and counted once
    both = tmp_path / "both"
    shutil.copytree(folder, both / "a")
    shutil.copytree(folder, both / "b")
    other = tmp_path / "other"
    added(other, both)
    assert asked(other, "SELECT count(*) FROM runs") == [(2,)]
    assert asked(other, "SELECT count(*) FROM metrics WHERE name = 'loss'") == [(50,)]


def test_a_log_that_has_grown_counts_as_it_is_now(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    added(store, folder)
    (folder / "good.log").write_text(logs.HEALTHY + "step 50: loss=2.5, grad_norm=1\n")
    assert added(store, folder).report.judged == 1
    assert asked(store, "SELECT count(*) FROM runs") == [(2,)]
    assert asked(store, "SELECT count(*) FROM metrics WHERE name = 'loss'") == [(51,)]


def test_a_batch_that_is_done_twice_is_there_once(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"

    class Twice(logs.Here):
        def run(self, function, tasks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as Here's
            for task in tasks:
                function(task)
                yield from super().run(function, [task])

    (folder / "words.log").write_text("To be or not to be\n")
    report = added(store, folder, workers=Twice()).report
    # told of the part that was there, as if it had been written just now
    assert (report.judged, report.copies, len(report.problems)) == (2, 0, 1)
    assert len(list((store / "parts").iterdir())) == 1
    assert asked(store, "SELECT count(*) FROM kept") == [(3,)]


def test_only_the_log_that_costs_workers_their_lives_is_given_up(tmp_path: Path, folder: Path) -> None:
    from postmortem.archive.workers import Done

    class Deadly(logs.Here):
        def run(self, function, tasks):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as Here's
            for task in tasks:
                if any("bad" in item.name for item in task.items):
                    yield Done(task, None, "the process that judged it died 2 times")
                else:
                    yield from super().run(function, [task])

    store = tmp_path / "store"
    report = added(store, folder, workers=Deadly()).report
    assert report.problems == (f"{folder}/bad.log: the process that judged it died 2 times",)
    assert asked(store, "SELECT name, problem IS NULL FROM runs ORDER BY name") == [
        (f"{folder}/bad.log", False),
        (f"{folder}/good.log", True),
    ]
    assert added(store, folder, rejudge=True).report.problems == ()
    assert asked(store, "SELECT count(*), count(problem) FROM runs") == [(2, 0)]


def test_other_rules_judge_anew_where_that_is_asked_for(tmp_path: Path, folder: Path) -> None:
    store, mine = tmp_path / "store", Options(rules=(users.rules(tmp_path),))
    added(store, folder)
    assert added(store, folder, options=mine).report.judged == 0
    assert added(store, folder, options=mine, rejudge=True).report.judged == 2
    assert asked(store, "SELECT count(*) FROM findings WHERE rule = 'mine/rule'") == [(1,)]
    assert asked(store, "SELECT count(*) FROM runs") == [(2,)]


def test_secrets_stay_out(tmp_path: Path) -> None:
    secret = "hf_" + "a1B2" * 8
    folder = logs.write(tmp_path / "logs", a=f"token = {secret}\nRuntimeError: token={secret} refused\n" + logs.HEALTHY)
    store = tmp_path / "store"
    added(store, folder)
    held = b"".join(pl.read_parquet(file).write_ndjson().encode() for file in (store / "parts").rglob("*.parquet"))
    assert b"RuntimeError" in held
    assert secret.encode() not in held


def test_a_folder_that_is_something_else_is_left_alone(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("x")
    with pytest.raises(PostmortemError, match="neither empty nor an archive"):
        added(tmp_path / "home", folder)
    with pytest.raises(PostmortemError, match="no archive; `postmortem archive add"):
        Database(tmp_path / "home")


def test_one_addition_at_a_time(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    with stores.adding(store), pytest.raises(PostmortemError, match="another `archive add` is at work"):
        added(store, folder)


def test_a_part_that_was_not_finished_is_no_part(tmp_path: Path, folder: Path) -> None:
    store = tmp_path / "store"
    added(store, folder)
    (part,) = (store / "parts").iterdir()
    shutil.copytree(part, store / "parts" / ".half-done")
    assert asked(store, "SELECT count(*) FROM kept") == [(2,)]
    added(store, folder)
    assert [one.name for one in (store / "parts").iterdir()] == [part.name]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * FROM read_text('/etc/passwd')", "Permission Error"),
        ("SELECT * FROM read_csv('{folder}/good.log')", "Permission Error"),
        ("COPY (SELECT 1) TO '{store}/parts/x.csv'", "one SELECT statement"),
        ("SELECT 1; SELECT 2", "one SELECT statement"),
        ("DROP VIEW runs", "one SELECT statement"),
        ("INSTALL httpfs", "one SELECT statement"),
        ("SET lock_configuration = false", "one SELECT statement"),
        ("SELECT nothing FROM runs", "nothing"),
        ("SELEC 1", "Parser Error"),
    ],
)
def test_a_question_reaches_nothing_else(tmp_path: Path, folder: Path, query: str, reason: str) -> None:
    store = tmp_path / "store"
    added(store, folder)
    with Database(store) as database, pytest.raises(PostmortemError, match=reason) as told:
        database.ask(query.format(folder=folder, store=store))
    assert "\n" not in str(told.value)
