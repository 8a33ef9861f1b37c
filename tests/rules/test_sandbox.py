"""Strangers' rules may try anything: each is refused or stopped by name, and whatever else runs is not affected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from postmortem.analysis import analyze
from postmortem.config import load
from postmortem.reading import read
from postmortem.rules import rule as rule_files
from postmortem.rules.engine import Engine, Outcome
from postmortem.rules.sandbox import Limits, Sandbox
from tests.rules.test_engine import GOOD, rules

if TYPE_CHECKING:
    from pathlib import Path

LOG: Final = "step 1: loss=2.0\nstep 2: loss=nan\neps = 1e-5\nstep 3: loss=1.5\n"
LIMITS: Final = Limits(seconds=1.0, memory=2**30, of_duckdb="256MB")
ENDLESS: Final = "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT 1 AS line FROM t WHERE x < 0"
TOO_MUCH: Final = "Out of Memory Error"
TOO_LONG: Final = "stopped after 1 s"
ONE_SELECT: Final = "one SELECT"


class Try(NamedTuple):
    """A query, and what is said of it."""

    detect: str
    reason: str


HOSTILE: Final = {
    "writes": Try("INSERT INTO metrics SELECT * FROM metrics", ONE_SELECT),
    "creates": Try("CREATE TABLE t AS SELECT 1 AS line", ONE_SELECT),
    "copies": Try("COPY metrics TO '/tmp/stolen.csv'", ONE_SELECT),
    "attaches": Try("ATTACH '/tmp/other.db' AS other", ONE_SELECT),
    "two": Try("SELECT 1 AS line; SELECT 2 AS line", ONE_SELECT),
    "loads": Try("LOAD httpfs", ONE_SELECT),
    "installs": Try("INSTALL httpfs", ONE_SELECT),
    "sets": Try("SET threads = 64", ONE_SELECT),
    "pragma": Try("PRAGMA database_size", ONE_SELECT),
    "calls": Try("CALL pragma_version()", ONE_SELECT),
    "reads-csv": Try("SELECT 1 AS line, * FROM read_csv('/etc/passwd')", "read_csv() is disabled"),
    "reads-text": Try("SELECT 1 AS line, (SELECT content FROM read_text('/etc/passwd')) AS value", "read_text() is"),
    "lists-files": Try("SELECT 1 AS line, * FROM glob('/etc/*')", "glob() is disabled"),
    "reads-file": Try("SELECT 1 AS line, * FROM '/etc/passwd.csv'", "no frame or signal '/etc/passwd.csv'"),
    "reads-catalogue": Try("SELECT 1 AS line, * FROM duckdb_settings()", "duckdb_settings() is disabled"),
    "reads-schema": Try("SELECT 1 AS line, * FROM information_schema.tables", "'information_schema.tables'"),
    "runs-text": Try("SELECT 1 AS line, * FROM query('SELECT 42')", "query() is disabled"),
    "shows": Try("SELECT 1 AS line FROM (SHOW TABLES)", "not by show_ref"),
    "environment": Try("SELECT 1 AS line, getenv('HOME') AS value", "getenv() is disabled"),
    "settings": Try("SELECT 1 AS line, current_setting('temp_directory') AS value", "current_setting() is disabled"),
    "sleeps": Try("SELECT 1 AS line, sleep_ms(1000000) AS value", "sleep_ms() is disabled"),
    "deep": Try("SELECT 1 AS line FROM " + "(FROM " * 2_000 + "metrics" + ")" * 2_000, "nested too deeply"),
    "long": Try(f"SELECT 1 AS line WHERE 'x' = '{'x' * 20_000}'", "characters"),
    "endless": Try(ENDLESS, TOO_LONG),
    "counts-on": Try("SELECT 1 AS line, count(*) AS value FROM range(1000000000000)", TOO_LONG),
    "regex": Try("SELECT 1 AS line, regexp_replace(repeat('a', 9999999), 'a', repeat('b', 9999), 'g') AS value", ""),
    "deaf": Try("SELECT 1 AS line, levenshtein(repeat('a', 999999), repeat('b', 999999)) AS value", TOO_LONG),
    "list": Try("SELECT 1 AS line, list_sum(range(1, 100000000)) AS value", TOO_MUCH),
    "folded": Try("SELECT line FROM metrics WHERE value > list_sum(range(1, 100000000))", TOO_MUCH),
    "text": Try("SELECT 1 AS line, repeat('x', 2000000000) AS value", TOO_MUCH),
    # whichever of the two limits it meets first
    "cross": Try("SELECT a.range AS line FROM range(100000) a, range(100000) b ORDER BY hash(a.range + b.range)", ""),
    "no-line": Try("SELECT 'one' AS line, 1 AS value", "'one' is no line of a log"),
    "below-one": Try("SELECT -5 AS line, 1 AS value", "-5 is no line of a log"),
    "no-lines": Try("SELECT 1 AS line, 'all' AS lines", "'all' is no line of a log"),
    "no-role": Try("SELECT 1 AS line, 'boss' AS role", "'boss' is no role"),
    "no-clock": Try("SELECT 1 AS line, now() AS value", "Invalid Input Error"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """All of them in one run, with a harmless one before, among and after them."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "run.log").write_text(LOG)
    tries = {name: one.detect for name, one in HOSTILE.items()}
    harmless = dict.fromkeys(("a-first", "m-among", "z-last"), GOOD)
    return Engine(read(str(folder / "run.log")), LIMITS).run(rules(folder / "rules", **tries, **harmless))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_stranger_tries_is_refused_or_stopped_by_name_and_line(outcome: Outcome, name: str) -> None:
    (error,) = [error for error in outcome.errors if f"/{name}.yaml:5: " in error]
    assert HOSTILE[name].reason in error
    assert "\n" not in error
    assert name in dict(outcome.not_checked)


def test_nothing_else_is_affected(outcome: Outcome) -> None:
    assert [hit.rule.id for hit in outcome.hits] == ["a-first", "m-among", "z-last"]
    assert [hit.lines for hit in outcome.hits] == [[1, 2, 4]] * 3
    assert len(outcome.errors) == len(HOSTILE)


def test_why_a_rule_was_not_checked_is_told_apart(outcome: Outcome) -> None:
    reasons = dict(outcome.not_checked)
    assert reasons["endless"] == TOO_LONG
    assert reasons["writes"] == "the rule itself is broken"


def one(folder: Path, detect: str, limits: Limits = LIMITS) -> Outcome:
    folder.mkdir(exist_ok=True)
    (folder / "run.log").write_text(LOG)
    return Engine(read(str(folder / "run.log")), limits).run(rules(folder / "rules", one=detect))


def test_what_a_query_returns_is_bounded_and_what_is_cut_is_counted(tmp_path: Path) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(70))
    (hit,) = one(
        tmp_path,
        f"SELECT range + 1 AS line, range(1, 5001) AS lines, repeat('y', 9000) AS long, {columns} FROM range(1, 1500)",  # noqa: S608
        Limits(seconds=30.0),
    ).hits
    assert len(hit.rows) == 1000
    assert hit.left_out == 499
    assert len(hit.rows[0]["long"]) == 2000
    assert len(hit.rows[0]["lines"]) == 1000
    assert len(hit.rows[0]) == 64
    assert hit.cut == 9 + 1000 * 2  # nine columns, and two values of each row


def test_every_kind_of_value_becomes_one_that_a_finding_can_hold(tmp_path: Path) -> None:
    (hit,) = one(
        tmp_path,
        "SELECT 2 AS line, 1.5::DECIMAL(9, 2) AS d, {'a': [1]} AS s, DATE '2026-01-02' AS t, 'inf'::DOUBLE AS i, "
        "NULL AS n, true AS b, chr(27) || '[31m' AS e",
    ).hits
    assert hit.rows == [
        {
            "line": 2,
            "d": 1.5,
            "s": "{'a': [1]}",
            "t": "2026-01-02",
            "i": float("inf"),
            "n": None,
            "b": True,
            "e": "\x1b[31m",
        }
    ]


def test_a_stranger_has_frames_signals_and_settings_whole(tmp_path: Path) -> None:
    (hit,) = one(
        tmp_path,
        "SELECT m.line, m.value, setting('eps') AS eps, (SELECT count(*) FROM metrics) AS values, n.kind "
        "FROM metrics m JOIN nonfinite n ON n.metric = m.name WHERE m.value = 1.5",
    ).hits
    assert hit.rows == [{"line": 4, "value": 1.5, "eps": 1e-5, "values": 3, "kind": "nan"}]
    (star,) = one(tmp_path / "star", "SELECT * FROM settings").hits
    assert star.rows[0]["source_name"] == "eps"


def test_rules_that_ship_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Sandbox, "answer", lambda _, sql, *__: asked.append(sql))
    (tmp_path / "run.log").write_text(LOG)
    shipped, _ = rule_files.load_folder(rule_files.SHIPPED)
    outcome = Engine(read(str(tmp_path / "run.log"))).run(shipped)
    assert "nonfinite/isolated" in {hit.rule.id for hit in outcome.hits}
    assert asked == []


def test_a_rule_that_ships_is_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.log").write_text(LOG)
    endless, good = rules(tmp_path / "rules", endless=ENDLESS, good=GOOD)
    monkeypatch.setattr("postmortem.rules.engine.SHIPPED", tmp_path)
    outcome = Engine(read(str(tmp_path / "run.log")), LIMITS).run([endless, good])
    assert outcome.errors == [f"{endless.path}:5: {TOO_LONG}"]
    assert [hit.rule.id for hit in outcome.hits] == ["good"]


def test_limits_are_those_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(LOG)
    rules(tmp_path / "rules", endless=ENDLESS)
    (tmp_path / "postmortem.toml").write_text("[rule-limits]\nseconds = 2\nmemory = 0.5\n")
    incident, _ = analyze(
        str(tmp_path / "run.log"),
        rule_folders=[tmp_path / "rules"],
        configuration=load(tmp_path / "postmortem.toml"),
        replay=False,
    )
    (error,) = incident.rule_errors
    assert "/endless.yaml:5: stopped after 2 s" in error


def test_duckdb_counts_half_of_the_memory_itself() -> None:
    assert Limits.of(30.0, 2.0) == Limits(seconds=30.0, memory=2 * 2**30, of_duckdb="1000MB")
