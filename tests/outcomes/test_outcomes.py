"""What a replay says of a fix, beside what the fix does to the training itself: the truth is the second run."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.analysis import analyze
from postmortem.report import json as output
from postmortem.verify.predictions import verify
from tests.outcomes import trainings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postmortem.incident import Incident
    from postmortem.verify.verification import Verified
    from tests.outcomes.trainings import Told

FINITE = "the loss is finite"


def judged(told: Told, tmp_path: Path) -> Incident:
    log = tmp_path / "first.log"
    log.write_text("\n".join(told.lines) + "\n")
    incident, _ = analyze(str(log))
    (tmp_path / "incident.json").write_text(output.render(incident))
    return incident


def held(told: Told, tmp_path: Path) -> Verified:
    log = tmp_path / "next.log"
    log.write_text("\n".join(told.lines) + "\n")
    return verify([str(log)], str(tmp_path / "incident.json")).logs[0]


def said(incident: Incident, rule: str, knob: str, claim: str) -> str:
    return next(
        verdict.verdict
        for verdict in incident.verdicts
        if (verdict.rule, verdict.fix.knob, verdict.claim) == (rule, knob, claim)
    )


@pytest.mark.parametrize(
    ("training", "cured", "rule", "knob", "claim"),
    [
        (
            trainings.without_targets,
            partial(trainings.without_targets, at_least=1),
            "nonfinite/empty-batch",
            "min_targets",
            FINITE,
        ),
        (
            trainings.adam_in_half_precision,
            partial(trainings.adam_in_half_precision, eps=1e-4),
            "optim/eps-in-half-precision",
            "optimizer_eps",
            "every result of the division is finite",
        ),
        (
            trainings.adam_in_half_precision,
            partial(trainings.adam_in_half_precision, dtype=torch.float32),
            "optim/eps-in-half-precision",
            "dtype",
            "every result of the division is finite",
        ),
        (
            trainings.frames_too_few,
            partial(trainings.frames_too_few, zero_infinity=True),
            "ctc/infinite-loss",
            "zero_infinity",
            FINITE,
        ),
        (
            trainings.frames_too_few,
            partial(trainings.frames_too_few, downsampling=2),
            "ctc/infinite-loss",
            "downsampling",
            FINITE,
        ),
    ],
)
def test_a_confirmed_fix_cures_the_training(
    training: Callable[[], Told], cured: Callable[[], Told], rule: str, knob: str, claim: str, tmp_path: Path
) -> None:
    before, after = training(), cured()
    assert not all(map(math.isfinite, before.losses))
    assert all(map(math.isfinite, after.losses))
    incident = judged(before, tmp_path)
    assert incident.root_causes == [rule]
    assert said(incident, rule, knob, claim) == "confirmed"
    outcomes = {checked.prediction.id: checked.outcome for checked in held(after, tmp_path).predictions}
    assert "held" in outcomes.values()
    assert "broken" not in outcomes.values()


def test_what_zero_infinity_lets_pass_is_not_learned(tmp_path: Path) -> None:
    after = trainings.frames_too_few(zero_infinity=True)
    # the sequence that does not fit counts 0, in the loss and in the gradient
    assert (after.losses[8], after.norms[8]) == (0.0, 0.0)
    incident = judged(trainings.frames_too_few(), tmp_path)
    learned = "the sequence is learned from: its gradient is finite and not 0"
    assert said(incident, "ctc/infinite-loss", "zero_infinity", learned) == "refuted"
    assert trainings.frames_too_few(downsampling=2).norms[8] > 0
    assert said(incident, "ctc/infinite-loss", "downsampling", learned) == "confirmed"


def test_a_clip_that_leaves_its_sum_infinite_is_not_confirmed_and_cures_nothing(tmp_path: Path) -> None:
    # e^10 = 22,026: three such are beyond what fp16 holds
    assert not any(map(math.isfinite, trainings.softmax_by_hand(clip=10.0).losses))
    incident = judged(trainings.softmax_by_hand(), tmp_path)
    assert said(incident, "nonfinite/loss", "logit_clip", FINITE) != "confirmed"


@pytest.mark.parametrize(
    ("training", "cured", "rule", "ratio"),
    [
        # the norm carries a scale of 65536
        (
            trainings.clipped_with_its_scale,
            partial(trainings.clipped_with_its_scale, unscaled_first=True),
            "grad/always-clipped",
            65536,
        ),
        # eight micro batches
        (trainings.added_up, partial(trainings.added_up, mean=True), "loss/times-accumulation", 8),
    ],
)
def test_the_norm_that_is_predicted_is_that_of_the_cured_training(
    training: Callable[[], Told], cured: Callable[[], Told], rule: str, ratio: float, tmp_path: Path
) -> None:
    before, after = training(), cured()
    assert before.norms[0] / after.norms[0] == pytest.approx(ratio, rel=1e-3)
    incident = judged(before, tmp_path)
    finding = next(found for found in incident.findings if found.rule == rule)
    assert finding.role == "contributing"  # a suspicion: the log alone does not establish it
    of_the_norm = [checked for checked in held(after, tmp_path).predictions if checked.prediction.metric == "grad_norm"]
    assert [checked.outcome for checked in of_the_norm] == ["held"]
    unchanged = [checked for checked in held(before, tmp_path).predictions if checked.prediction.metric == "grad_norm"]
    assert [checked.outcome for checked in unchanged] == ["broken"]
