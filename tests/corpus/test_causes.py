"""Real logs, judged: the cause that a person reads in a failed one comes first, and a healthy one raises no alarm."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from postmortem.analysis import analyze
from postmortem.rules.finding import SEVERITIES
from tests.corpus.conftest import CORPUS

if TYPE_CHECKING:
    from postmortem.incident import Incident

CAUSES: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("causes.yaml").read_text(encoding="utf-8"))
PUBLISHED = Path(__file__).parents[2] / "docs" / "accuracy.md"


@cache
def incident(log: str) -> Incident:
    return analyze(str(CORPUS / log), replay=False)[0]


def of(outcome: str) -> list[str]:
    return sorted(log for log, expected in CAUSES.items() if expected["outcome"] == outcome)


def test_every_log_is_judged_by_a_person() -> None:
    assert sorted(path.name for path in CORPUS.iterdir() if path.name != "INDEX.csv") == sorted(CAUSES)
    assert sorted([*of("failed"), *of("healthy")]) == sorted(CAUSES)


@pytest.mark.parametrize("log", of("failed"))
def test_the_cause_comes_first(log: str) -> None:
    expected = CAUSES[log]["cause"]
    roots = incident(log).root_causes
    assert roots[:1] == [] if expected == [] else roots[0] in expected


@pytest.mark.parametrize("log", of("healthy"))
def test_a_healthy_run_raises_no_alarm(log: str) -> None:
    alarms = [f.rule for f in incident(log).findings if SEVERITIES.index(f.severity) >= SEVERITIES.index("medium")]
    assert alarms == []


@pytest.mark.parametrize("log", sorted(CAUSES))
def test_the_published_table_is_current(log: str) -> None:
    nothing = "none" if CAUSES[log]["outcome"] == "failed" else "-"
    first = next(iter(incident(log).root_causes), nothing)
    row = next(line for line in PUBLISHED.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {log} |"))
    assert row.split(" | ")[3] == first
