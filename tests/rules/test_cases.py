"""Every rule proves itself: it fires on the lines that it names, and stays quiet on its near misses and quiet logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read
from postmortem.replay import experiments
from postmortem.rules import rule as rule_files
from postmortem.rules.check import cases
from postmortem.rules.engine import TOO_FEW, Engine

if TYPE_CHECKING:
    from pathlib import Path

RULES, ERRORS = rule_files.load_folder(rule_files.SHIPPED)
IDS = {rule.id for rule in RULES}
ALL = [pytest.param(rule, id=rule.id) for rule in RULES]
CASES = [
    pytest.param(rule, case.log, case.lines, str(case.place[1]), id="-".join(map(str, (rule.id, *case.place[1:]))))
    for rule in RULES
    for case in cases(rule)
]


def test_every_rule_file_loads() -> None:
    assert ERRORS == []
    assert len(RULES) >= 218


@pytest.mark.parametrize(("rule", "log", "lines", "kind"), CASES)
def test_a_case_is_as_the_rule_says(
    tmp_path: Path, rule: rule_files.Rule, log: str, lines: tuple[int, ...], kind: str
) -> None:
    path = tmp_path / "case.log"
    path.write_text(log)
    outcome = Engine(read(path)).run([rule])
    assert outcome.errors == []
    assert bool(outcome.hits) is (kind == "fires")
    assert all(rule.untold(hit.rows[0]) is None for hit in outcome.hits)
    assert sorted({line for hit in outcome.hits for line in hit.lines}) == sorted(lines)
    if kind == "near":
        # it holds all that the rule asks for: what keeps it quiet is the query, or the signal that it looks at
        assert all(reason.startswith(TOO_FEW) for _, reason in outcome.not_checked)


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_is_complete(rule: rule_files.Rule) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    texts = [rule.title, rule.message, rule.why, rule.not_proof, rule.false_positives, *rule.references]
    assert all(text.strip() for text in texts)
    assert rule.references
    assert all(param.unit.strip() and param.why.strip() for param in rule.params.values())


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_has_a_near_miss_and_a_quiet_log(rule: rule_files.Rule) -> None:
    tests = rule.tests
    assert tests.fires
    assert tests.near
    assert tests.quiet
    assert all(case.but.strip() for case in tests.near)
    assert all(case.lines for case in tests.fires)
    logs = [case.log for case in cases(rule)]
    assert len(set(logs)) == len(logs)


def test_no_id_is_given_twice() -> None:
    assert len(IDS) == len(RULES)


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_refers_to_what_exists(rule: rule_files.Rule) -> None:
    others = {*rule.explains, *rule.weaker_than, *rule.refutes}
    assert others <= IDS
    assert rule.id not in others
    assert rule.experiment is None or rule.experiment in experiments.names()
    assert rule.experiment is not None or not rule.fixes


def test_the_ids_that_others_build_on_exist() -> None:
    contract = """
    impossible/normalised-beyond-bound impossible/negative-std impossible/unit-vector-beyond-one
    impossible/finite-range-with-inf norm/undersized-eps kd/temperature-squared kd/term-dominates kd/not-learning
    nonfinite/loss nonfinite/isolated nonfinite/clamped nonfinite/gradient-norm nonfinite/first-bad-tensor
    amp/scaler-startup amp/clip-cannot-repair-inf grad/explosion grad/localised grad/skip-rule-starves
    eval/capped-perplexity eval/perplexity-of-composite-loss loss/noise-not-trend mlm/fully-labeled mlm/unlabeled
    config/effective-batch run/silent-exit slurm/time-limit slurm/out-of-memory slurm/cancelled slurm/task-failed
    """
    assert set(contract.split()) <= IDS
