"""Every rule proves itself: its firing logs fire it on the lines that it names, its quiet ones do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read
from postmortem.replay import experiments
from postmortem.rules import rule as rule_files
from postmortem.rules.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

RULES, ERRORS = rule_files.load_folder(rule_files.SHIPPED)
IDS = {rule.id for rule in RULES}
CASES = [
    pytest.param(rule, case, fires, id=f"{rule.id}-{'fires' if fires else 'quiet'}-{index}")
    for rule in RULES
    for fires, cases in ((True, rule.tests.fires), (False, rule.tests.quiet))
    for index, case in enumerate(cases)
]


def test_every_rule_file_loads() -> None:
    assert ERRORS == []
    assert len(RULES) >= 30


@pytest.mark.parametrize(("rule", "case", "fires"), CASES)
def test_a_case_is_as_the_rule_says(
    tmp_path: Path, rule: rule_files.Rule, case: rule_files.Case, *, fires: bool
) -> None:
    path = tmp_path / "case.log"
    path.write_text(case.log)
    outcome = Engine(read(str(path))).run([rule])
    assert outcome.errors == []
    assert bool(outcome.hits) is fires
    lines = {line for hit in outcome.hits for row in hit.rows for line in (row.get("lines") or [row["line"]])}
    assert sorted(lines) == case.lines


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])
def test_a_rule_refers_to_what_exists(rule: rule_files.Rule) -> None:
    assert set(rule.explains) | set(rule.refutes) <= IDS
    assert rule.id not in {*rule.explains, *rule.refutes}
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
