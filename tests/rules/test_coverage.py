"""No cause that a log can show is without a rule, and no rule that names one goes away unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from postmortem.rules import rule as rule_files

COVERED: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("coverage.yaml").read_text(encoding="utf-8")
)
IDS = {rule.id for rule in rule_files.load_folder(rule_files.SHIPPED)[0]}


@pytest.mark.parametrize(
    ("cause", "rules"),
    [
        pytest.param(cause, rules, id=f"{family}: {cause}")
        for family, causes in COVERED.items()
        for cause, rules in causes.items()
    ],
)
def test_a_cause_has_a_rule(cause: str, rules: list[str]) -> None:
    assert rules != [], cause
    assert set(rules) <= IDS
