"""What the next run must show of a cause that a rule names: numbers, its silence, and how far a log must come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem import analysis
from postmortem.report import json
from postmortem.rules import catalogue
from postmortem.verify.predictions import verify
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.rules.rule import Rule
    from postmortem.verify.verification import Checked

RULES = [rule for rule in catalogue.rules()[0] if rule.predicts]

#: Lowest around step 400, where the median of three is 2.45, and 3.4 at the end.
OVERFITTED = "".join(
    f"step {step}: train loss {train}, val loss {evaluated}\n"
    for step, train, evaluated in (
        (100, 3.0, 3.1), (200, 2.5, 2.7), (300, 2.0, 2.5), (400, 1.7, 2.40), (500, 1.4, 2.45), (600, 1.1, 2.6),
        (700, 0.9, 2.75), (800, 0.7, 2.9), (900, 0.5, 3.1), (1000, 0.4, 3.25), (1100, 0.3, 3.4),
    )
)  # fmt: skip


def falling(last: int) -> str:
    return "".join(
        f"step {step}: train loss {3 - step / 1000:.3f}, val loss {3 - step / 1200:.3f}\n"
        for step in range(100, last + 1, 100)
    )


def judged(folder: Path, log: str, following: str) -> list[Checked]:
    """What the log `following` says of the predictions of `log`."""
    (folder / "old.log").write_text(log)
    (folder / "next.log").write_text(following)
    incident, _ = analysis.analyze(str(folder / "old.log"), replay=False)
    (folder / "incident.json").write_text(json.render(incident))
    return verify([str(folder / "next.log")], str(folder / "incident.json")).logs[0].predictions


def test_a_cause_promises_its_numbers_and_its_silence(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text(OVERFITTED)
    incident, _ = analysis.analyze(str(tmp_path / "old.log"), replay=False)
    said = {p.id: p for p in incident.predictions}
    number, silence = said["eval/overfitting/0"], said["eval/overfitting"]
    assert (number.metric, number.low) == ("loss", None)
    assert number.high == pytest.approx(2.45 * 1.05)
    assert number.statement == "the evaluation's loss ends at 2.573 or below, next to its lowest of this log"
    assert number.rows is not None
    assert (number.rows.must, number.rows.split) == ("last", "eval")
    assert silence.silent
    assert silence.statement == "the log reaches step 1,100 without eval/overfitting"
    assert {p.basis for p in said.values()} == {"rule"}


@pytest.mark.parametrize(
    ("following", "outcomes", "because"),
    [
        (falling(1200), ["held", "held"], "not found"),  # 2.0 at the end
        (falling(600), ["not_seen", "not_seen"], "the log ends at step 600, before 1,100"),
        (falling(600) + "Early stopping triggered\n", ["held", "held"], "not found"),  # it need not come further
        (OVERFITTED, ["broken", "broken"], "found again (root cause): The evaluation's loss was lowest at step 400"),
        ("epoch 1: train loss 2.0, val loss 2.1\n", ["not_seen", "not_seen"], "the log counts no steps"),
    ],
)
def test_the_next_log_decides(tmp_path: Path, following: str, outcomes: list[str], because: str) -> None:
    checked = [one for one in judged(tmp_path, OVERFITTED, following) if one.prediction.rule == "eval/overfitting"]
    assert [one.outcome for one in checked] == outcomes
    assert checked[-1].because.startswith(because)


def test_without_a_counter_a_log_must_train(tmp_path: Path) -> None:
    crash = "Traceback (most recent call last):\n  File \"t.py\", line 3, in <module>\n    import x\nKeyError: 'x'\n"
    (started,) = judged(tmp_path, crash, "Epoch 1 loss 0.5\n")
    (silent,) = judged(tmp_path, crash, "srun: error: node1: task 0: Exited with exit code 1\n")
    assert started.prediction.statement.startswith("the log shows a training without python/")
    assert (started.outcome, silent.outcome) == ("held", "not_seen")
    assert silent.because == "the log prints no value of a training"


def test_a_rule_that_is_not_known_is_not_silent(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    rule = own / "mine" / "rule.yaml"
    rule.write_text(rule.read_text().replace("role: context", "role: root_cause"))
    log = tmp_path / "a.log"
    log.write_text("step 1: loss=2.0\nstep 2: loss=20.0\n")
    incident, _ = analysis.analyze(str(log), rule_folders=[own], replay=False)
    (tmp_path / "incident.json").write_text(json.render(incident))
    (without,) = verify([str(log)], str(tmp_path / "incident.json")).logs[0].predictions
    (with_it,) = verify([str(log)], str(tmp_path / "incident.json"), rule_folders=[own]).logs[0].predictions
    assert (without.outcome, with_it.outcome) == ("not_seen", "broken")
    assert without.because == "no rule mine/rule is known here; --rules DIR names a folder that has it"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_log_that_fires_a_rule_breaks_what_the_rule_promises(tmp_path: Path, rule: Rule) -> None:
    broken = []
    for case in rule.tests.fires:
        broken += [one.outcome for one in numbers_of(tmp_path, case.log) if one.prediction.rule == rule.id]
    assert broken
    assert set(broken) == {"broken"}


def numbers_of(folder: Path, log: str) -> list[Checked]:
    """What a log says of the numbers that are promised of its own causes."""
    (folder / "old.log").write_text(log)
    incident, _ = analysis.analyze(str(folder / "old.log"), replay=False)
    numbers = [prediction for prediction in incident.predictions if not prediction.silent]
    if not numbers:
        return []
    (folder / "incident.json").write_text(json.render(incident.model_copy(update={"predictions": numbers})))
    return verify([str(folder / "old.log")], str(folder / "incident.json")).logs[0].predictions
