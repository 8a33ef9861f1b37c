"""Roles: what another finding explains, refutes or makes harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.analysis import analyze
from postmortem.rules.catalogue import rules

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.incident import Incident

STEPS = "step 1: loss=2.0\nstep 2: loss=1.9\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bad shape\n'
FAILED_TASK = "srun: error: node01: task 1: Exited with exit code 1\n"
CANCELLED = "slurmstepd: error: *** STEP 101.0 ON node01 CANCELLED AT 2026-01-05T04:10:12 ***\n"
OUT_OF_MEMORY = "slurmstepd: error: Detected 1 oom_kill event in StepId=101.batch.\n"

#: The evaluation's loss rises a little, while the training's falls.
RISES = "".join(
    f"epoch {i}: train_loss={train} val_loss={held_out}\n"
    for i, (train, held_out) in enumerate([(2.0, 1.0), (1.4, 1.05), (1.0, 1.1), (0.7, 1.15)], 1)
)


def incident(tmp_path: Path, text: str) -> Incident:
    path = tmp_path / "x.log"
    path.write_text(text)
    return analyze(str(path), replay=False)[0]


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        (STEPS, []),
        (STEPS + TRACEBACK + FAILED_TASK + CANCELLED, ["python/exception"]),
        (STEPS + FAILED_TASK + OUT_OF_MEMORY + CANCELLED, ["slurm/out-of-memory"]),
        (STEPS + CANCELLED, ["slurm/cancelled"]),
        (STEPS + CANCELLED.replace(" ***\n", " DUE TO TIME LIMIT ***\n"), ["slurm/time-limit"]),
        (STEPS + CANCELLED.replace(" ***\n", " DUE TO NODE FAILURE ***\n"), ["slurm/node-failure"]),
        ("".join(f"step {step}: reward=0.0\n" for step in range(9)), []),
        ("".join(f"step {step}: reward=0.0\n" for step in range(50)), ["eval/no-reward"]),
        # what only contributes is the cause where no other is found
        (RISES, ["eval/overfitting-early"]),
        (RISES.replace("1.15", "1.11"), []),  # so little is worth a note
        (RISES + TRACEBACK, ["python/exception"]),
        (RISES + OUT_OF_MEMORY, ["slurm/out-of-memory"]),
    ],
)
def test_the_cause_comes_before_its_cascade(tmp_path: Path, text: str, roots: list[str]) -> None:
    found = incident(tmp_path, text)
    assert found.root_causes == roots
    assert [finding.rule for finding in found.findings[: len(roots)]] == roots


def test_what_a_run_came_to_is_context_where_it_is_known_why(tmp_path: Path) -> None:
    nothing_gained = "".join(
        f"epoch {i}: val_accuracy={0.5 + i * 7 % 5 / 100 - i / 500:.4f} val_f1={0.4 + i * 3 % 5 / 100 - i / 500:.4f}\n"
        for i in range(1, 25)
    )
    found = incident(tmp_path, nothing_gained)
    came_to = {finding.rule for finding in found.findings if finding.role == "root_cause"}
    assert came_to
    assert came_to <= {"progress/nothing-gained", "eval/worse-at-its-end"}
    beside = incident(tmp_path, nothing_gained + TRACEBACK)
    assert beside.root_causes == ["python/exception"]
    assert {finding.role for finding in beside.findings if finding.rule in came_to} == {"context"}
    assert found.measure_next
    assert not set(found.measure_next) & set(beside.measure_next)


def test_a_note_hides_no_cause(tmp_path: Path) -> None:
    # the loss of the evaluation rises while its accuracy does, which is worth a note
    epochs = [(i, 2 * 0.9**i, 1.1 + abs(i - 9) * 0.02, 0.74 - 0.3 * 0.85**i) for i in range(1, 25)]
    text = "".join(f"epoch {i}: train_loss={a:.3f} val_loss={b:.3f} val_accuracy={c:.3f}\n" for i, a, b, c in epochs)
    found = incident(tmp_path, text)
    severities = {finding.rule: finding.severity for finding in found.findings}
    assert severities["eval/overfitting"] == "info"
    assert found.root_causes == ["eval/left-behind"]


def test_what_is_slow_is_no_fault_even_where_no_other_cause_is_found(tmp_path: Path) -> None:
    (slow,) = [rule for rule in rules()[0] if rule.id == "progress/slowdown"]
    found = incident(tmp_path, slow.tests.fires[0].log)
    assert "progress/slowdown" in [finding.rule for finding in found.findings if finding.role == "contributing"]
    assert "progress/slowdown" not in found.root_causes


def test_a_consequence_names_what_explains_it(tmp_path: Path) -> None:
    findings = {f.rule: f for f in incident(tmp_path, STEPS + TRACEBACK + FAILED_TASK).findings}
    assert findings["slurm/task-failed"].explained_by == ["python/exception"]
    assert findings["slurm/task-failed"].role == "consequence"


def test_what_a_consequence_explains_is_no_cause_either(tmp_path: Path) -> None:
    # the nan explains that it lasts, and the blown-up loss the nan: it alone does not name what lasts
    losses = [10.95, 10.21, 9.5, 9.1, 12.5, 35.1, 220.8, 4100.2, 91000.5, *["nan"] * 12]
    found = incident(tmp_path, "".join(f"step {step} | loss {loss}\n" for step, loss in enumerate(losses, 1)))
    roles = {finding.rule: (finding.role, finding.explained_by) for finding in found.findings}
    assert roles["nonfinite/loss"] == ("consequence", ["loss/blown-up", "nonfinite/after-growth"])
    assert roles["nonfinite/permanent"] == ("consequence", ["nonfinite/after-growth", "nonfinite/loss"])
    assert found.root_causes == ["loss/blown-up"]


def test_what_its_owner_ended_had_failed_before(tmp_path: Path) -> None:
    losses = [5.4, 3194.1, *(3194.0 + 0.1 * (step % 3) for step in range(24))]
    text = "".join(f"Epoch [{epoch}/1000], Train Loss: {loss:.4f}\n" for epoch, loss in enumerate(losses, 1))
    found = incident(tmp_path, text + "TERM_OWNER: job killed by owner.\nExited with exit code 143.\n")
    killed = next(finding for finding in found.findings if finding.rule == "slurm/killed")
    assert killed.role == "consequence"
    assert "loss/thrown-off-at-start" in killed.explained_by
    assert "loss/thrown-off-at-start" in found.root_causes
    assert incident(tmp_path, STEPS + "TERM_OWNER: job killed by owner.\n").root_causes == ["slurm/killed"]


def test_what_a_benign_finding_explains_is_no_alarm(tmp_path: Path) -> None:
    text = "step 0: loss=9.3, grad_norm=inf\nstep 1: loss=9.1, grad_norm=3.5\n"
    findings = {f.rule: f for f in incident(tmp_path, text).findings}
    norm = findings["nonfinite/gradient-norm"]
    assert (norm.role, norm.severity, norm.explained_by) == ("benign", "info", ["amp/scaler-startup"])


def test_what_an_excused_finding_explains_is_no_alarm_either(tmp_path: Path) -> None:
    """A stage accounts for the jump of the loss, and the jump for what looks like a divergence."""
    ends = ((2.3, 0.4), (1.9, 1.1), (2.4, 1.7))
    noise = (0.03, -0.02, 0.01, -0.03, 0.02)
    lines = []
    for stage, (begin, end) in enumerate(ends):
        lines.append(f"=== Stage {stage} ===")
        for step in range(40):
            loss = end + (begin - end) * 0.9**step + noise[step % 5]
            lines.append(f"step {40 * stage + step}: loss={loss:.4f}")
    found = incident(tmp_path, "\n".join([*lines, ""]))
    roles = {finding.rule: (finding.role, finding.severity) for finding in found.findings}
    assert roles["loss/stage-begins"] == ("benign", "info")
    assert roles["loss/spike-lasting"] == roles["loss/divergence"] == ("benign", "info")
    assert found.root_causes == []


def test_infinite_norms_later_in_a_run_stay_an_alarm(tmp_path: Path) -> None:
    text = "step 0: loss=9.3, grad_norm=3.5\nstep 1: loss=9.1, grad_norm=inf\n"
    findings = {f.rule: f for f in incident(tmp_path, text).findings}
    assert (findings["nonfinite/gradient-norm"].role, findings["nonfinite/gradient-norm"].severity) == (
        "root_cause",
        "high",
    )


def test_a_refuted_suspicion_is_kept_and_is_no_cause(tmp_path: Path) -> None:
    findings = {f.rule: f for f in incident(tmp_path, "eps = 1e-5\nLayer 3: XV output: min=-2, max=40960\n").findings}
    eps = findings["norm/undersized-eps"]
    assert (eps.role, eps.refuted_by) == ("context", ["impossible/normalised-beyond-bound"])


def test_a_finding_says_what_it_does_not_prove(tmp_path: Path) -> None:
    findings = {f.rule: f for f in incident(tmp_path, STEPS + CANCELLED).findings}
    assert findings["slurm/cancelled"].not_proof == "It does not say who cancelled the job, or why."


def test_what_was_not_checked_is_listed_with_the_reason(tmp_path: Path) -> None:
    reasons = {skipped.rule: skipped.because for skipped in incident(tmp_path, STEPS).not_checked}
    assert reasons["nonfinite/gradient-norm"] == "no metric grad_norm in this log"
    assert reasons["impossible/normalised-beyond-bound"] == "no tensors in this log"


def test_a_sentence_that_a_query_adds_to_its_message_is_no_value(tmp_path: Path) -> None:
    grown = "".join(f"step {step}: loss={9 * 31**step}, lr=0.5\n" for step in range(5))
    finding = next(found for found in incident(tmp_path, grown).findings if found.rule == "loss/blown-up")
    assert finding.message.endswith(". The last learning rate was 0.5")
    assert "rate" not in finding.values
    assert finding.values["first"] == 9.0
