"""Rules come from strangers: what they may not do is refused by name and line, and the other rules still run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read
from postmortem.rules import rule as rule_files
from postmortem.rules.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: A test rule
role: context
severity: low
confidence: certain
detect: |
  {detect}
message: "found {{value:g}}"
why: because
not_proof: nothing
false_positives: none
references: [none]
tests:
  fires: [{{log: "step 1: loss=2.0", lines: [1]}}]
  quiet: [{{log: "step 1: loss=1.0"}}]
"""
GOOD = "SELECT line, value FROM metrics WHERE name = 'loss'"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    path = tmp_path / "run.log"
    path.write_text("step 1: loss=2.0\nstep 2: loss=nan\neps = 1e-5\nstep 3: loss=1.5\neps = 1e-3\n")
    return Engine(read(str(path)))


def rules(folder: Path, **detects: str) -> list[rule_files.Rule]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, detect in detects.items():
        (folder / f"{name}.yaml").write_text(RULE.format(detect=detect))
    loaded, errors = rule_files.load_folder(folder)
    assert errors == []
    return loaded


@pytest.mark.parametrize(
    ("detect", "reason"),
    [
        ("SELECT line, colour FROM metrics", "colour"),
        ("SELECT 1 AS line; SELECT 2 AS line", "one SELECT"),
        ("DROP TABLE metrics", "one SELECT"),
        ("CREATE TABLE t AS SELECT 1 AS line", "one SELECT"),
        ("INSTALL httpfs", "one SELECT"),
        ("SET memory_limit = '50GB'", "one SELECT"),
        ("COPY metrics TO '/tmp/stolen.csv'", "one SELECT"),
        ("SELECT 1 AS line, * FROM read_text('/etc/passwd')", "disabled"),
        ("SELECT 1 AS line, * FROM '/etc/passwd.csv'", "passwd"),
        ("SELECT value FROM metrics", "no column `line`"),
        ("SELECT line FROM metrics WHERE value > $limit", "limit is no parameter"),
        ("SELEC line FROM metrics", "syntax error"),
    ],
)
def test_what_a_rule_may_not_do_is_refused_by_name_and_line(
    tmp_path: Path, engine: Engine, detect: str, reason: str
) -> None:
    outcome = engine.run(rules(tmp_path / "rules", bad=detect, good=GOOD))
    (error,) = outcome.errors
    assert error.startswith(f"{tmp_path}/rules/bad.yaml:5: ")
    assert reason in error
    assert "\n" not in error
    assert [hit.rule.id for hit in outcome.hits] == ["good"]
    assert ("bad", "the rule itself is broken") in outcome.not_checked


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("title: [unclosed\n", 2, "not YAML"),
        (RULE.format(detect=GOOD).replace("role: context", "role: guess"), 2, "role"),
        (RULE.format(detect=GOOD) + "colour: red\n", 15, "colour"),
        (RULE.format(detect=GOOD).replace("message:", "massage:"), 1, "message"),
        ("- a list\n", 1, "mapping"),
        ("a: " + "{a: " * 3000 + "1" + "}" * 3000, 1, "title"),
        ("# " + "x" * 300_000, 1, "larger than 200 kB"),
        (RULE.format(detect=GOOD) + "\0", 1, "cannot be read"),
        (RULE.format(detect=GOOD) + "experiment: none-such\n", 15, "no experiment 'none-such'"),
        (RULE.format(detect=GOOD) + "_query: {}\n", 15, "_query"),
        (RULE.format(detect=GOOD) + "params: {x: {default: .nan, unit: u, why: w}}\n", 15, "params.x.default"),
        ('!!python/object/apply:os.system ["true"]\n', 1, "not YAML"),
        ("", 1, "mapping"),
    ],
)
def test_a_broken_file_names_file_line_and_reason(tmp_path: Path, text: str, line: int, reason: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "good.yaml").write_text(RULE.format(detect=GOOD))
    loaded, errors = rule_files.load_folder(tmp_path)
    assert [rule.id for rule in loaded] == ["good"]
    (error,) = errors
    assert error.startswith(f"{tmp_path}/bad.yaml:{line}: ")
    assert reason in error


def test_the_last_stated_setting_counts(tmp_path: Path, engine: Engine) -> None:
    outcome = engine.run(rules(tmp_path / "rules", a="SELECT 1 AS line, setting('eps') AS value"))
    assert outcome.hits[0].rows == [{"line": 1, "value": 1e-3}]


def test_what_the_log_lacks_is_named(tmp_path: Path, engine: Engine) -> None:
    (rule,) = rules(tmp_path / "rules", a=GOOD)
    rule.requires = rule_files.Requires(metrics=["kd_loss|lm_loss"])
    assert engine.run([rule]).not_checked == [("a", "no metric kd_loss or lm_loss in this log")]


@pytest.mark.parametrize(
    ("line", "not_checked"),
    [
        ("step 1: infonce_loss=2.0", []),
        ("step 1: mse_loss=2.0, aux_loss=0.5", [("a", "no objective in this log")]),
        ("step 1: loss=2.0, reward=1.5", [("a", "no objective in this log")]),
    ],
)
def test_a_rule_may_ask_for_any_objective(tmp_path: Path, line: str, not_checked: list[tuple[str, str]]) -> None:
    (rule,) = rules(tmp_path / "rules", a=GOOD)
    rule.requires = rule_files.Requires(metrics=["objective"])
    log = tmp_path / "run.log"
    log.write_text(f"{line}\n")
    assert Engine(read(str(log))).run([rule]).not_checked == not_checked


def test_a_missing_value_reads_unknown_and_no_attribute_is_reached() -> None:
    assert rule_files.fill("{a:.1f} {b} {c.__class__} {d:g}", {"a": 1.25, "b": None, "d": "x"}) == (
        "1.2 unknown {c.__class__} x"
    )


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{m} is nan first at step {s}, in {n} of 3", {"m": "loss"}, "loss is nan, in unknown of 3"),
        ("At step {s}, a is 1 from step {s} on: no", {}, "a is 1: no"),
        ("counted up to step {s}; it was low (step {s})", {}, "counted; it was low"),
        ("as in the values before step {s}, {n} steps", {"n": 1}, "as in the values before it, 1 step"),
        ("back after {n} values, {x:.1f} times", {"n": 1, "x": 0.1}, "back after 1 value, 0.1 times"),
        ("{n} values, 21 times", {"n": 11}, "11 values, 21 times"),
    ],
)
def test_a_step_that_is_missing_and_one_of_many_are_said_as_a_person_would(
    template: str, values: dict[str, object], text: str
) -> None:
    assert rule_files.fill(template, values) == text


def test_a_text_is_not_made_as_wide_as_a_rule_says() -> None:
    filled = rule_files.fill("{a:999999999d} {b:.999999999f} {b:9,.2f}", {"a": 7, "b": 3.5})
    assert filled == "7 3.5      3.50"


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        ("events: [gpu_xid]", False),
        ("events: [gpu_xid, segfault]", True),
        ("frames: [tensors]", False),
        ("frames: [tensors, metrics]", True),
        ("frames: [failures]", True),
        ("{}", True),
    ],
)
def test_a_rule_is_not_run_where_there_is_nothing_that_it_looks_for(tmp_path: Path, wanted: str, *, runs: bool) -> None:
    path = tmp_path / "run.log"
    path.write_text("step 1: loss=2.0\nSegmentation fault\n")
    text = RULE.format(detect="SELECT line, 1 AS value FROM events")
    wanted = wanted if wanted == "{}" else f"{{{wanted}}}"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "one.yaml").write_text(text.replace("detect:", f"quiet_without: {wanted}\ndetect:"))
    loaded, errors = rule_files.load_folder(tmp_path / "rules")
    outcome = Engine(read(str(path))).run(loaded)
    assert errors == outcome.errors == []
    assert bool(outcome.hits) is runs
    assert outcome.not_checked == []
