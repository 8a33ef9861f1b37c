"""A collapsed RMS: which part of a residual stage shrank it, and what each fix leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.replay.experiments.residual_collapse import EXPERIMENT
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms.residuals import Cancelling, Residual, Seen, ShrunkProjection, WeakStages
from postmortem.replay.protocol import Answer, Fix, Rows
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact, Replay, Value

LAB = lab_of(draws=256)
KEPT, SCALE, TARGET = (claim.text for claim in EXPERIMENT.claims)
LOG: dict[str, Fact] = {"input_rms": 5.0, "output_rms": 0.005, "target_rms": 5.0, "residual_weight": 1.0}


def run(facts: dict[str, Fact], knob: str = "residual_weight", new: Value = 0.5) -> Answer:
    return EXPERIMENT.run("rule", facts, [Fix(knob=knob, new=new)], LAB)


def by_mechanism(answer: Answer, claim: str) -> dict[str, Replay]:
    return {replay.mechanism: replay for replay in answer.replays if replay.claim == claim}


def test_it_is_found_by_its_name() -> None:
    assert experiments.load("residual-collapse") is EXPERIMENT


def test_half_a_residual_brings_back_what_was_cancelled() -> None:
    replays = by_mechanism(run(LOG), KEPT)
    cancelling = replays["cancelling"]
    assert cancelling.verdict == "confirmed"
    assert cancelling.effect is not None
    # f is -1 up to 0.001: half a residual leaves 0.5, within 0.001
    assert cancelling.effect.before_median == pytest.approx(0.001)
    assert cancelling.effect.median == pytest.approx(0.5, abs=0.0011)
    (prediction,) = run(LOG).predictions
    assert prediction.low == pytest.approx(2.5, abs=0.006)
    assert (prediction.rows, prediction.was) == (Rows(), 0.005)
    assert prediction.high == pytest.approx(2.5, abs=0.006)


def test_a_projection_behind_the_residual_is_not_cured_by_it() -> None:
    replays = by_mechanism(run(LOG), KEPT)
    assert replays["shrunk_projection"].verdict == "refuted"


def test_a_full_residual_excludes_a_weak_one() -> None:
    weak = by_mechanism(run({**LOG, "stages": 3.0}), KEPT)["weak_stages"]
    assert weak.verdict == "not_reproduced"
    assert "leaves 1 of the RMS a stage" in weak.because


def test_a_full_residual_cures_a_weak_one() -> None:
    # 0.1 a stage leaves 0.001 behind three; at weight 1 each stage keeps at least all
    facts: dict[str, Fact] = {**LOG, "residual_weight": 0.08, "stages": 3.0}
    weak = by_mechanism(run(facts, new=1.0), KEPT)["weak_stages"]
    assert weak.verdict == "confirmed"
    assert weak.effect is not None
    # f adds sqrt(0.1^2 - 0.08^2) = 0.06 at a right angle: sqrt(1 + 0.0036)^3
    assert weak.effect.median == pytest.approx(1.0036**1.5)


def test_a_clamp_limits_the_gradient_and_leaves_the_output_small() -> None:
    answer = run(LOG, "scale_clamp", 1.5)
    verdicts = {verdict.claim: verdict.verdict for verdict in pool(answer.replays)}
    assert verdicts == {SCALE: "confirmed", TARGET: "refuted"}
    effect = by_mechanism(answer, SCALE)["cancelling"].effect
    assert effect is not None
    # 5 / (0.005 + 1e-8), against the clamp
    assert effect.before_median == pytest.approx(1000, rel=1e-4)
    assert effect.median == pytest.approx(1.5)


def test_a_tiny_eps_changes_nothing() -> None:
    verdicts = {verdict.claim: verdict.verdict for verdict in pool(run(LOG, "rms_eps", 1e-6).replays)}
    assert verdicts == {SCALE: "refuted", TARGET: "confirmed"}


@pytest.mark.parametrize("mechanism", [WeakStages(), Cancelling(), ShrunkProjection()])
@pytest.mark.parametrize("stages", [1.0, 3.0, 1000.0])
def test_what_is_drawn_has_the_rms_of_the_log(mechanism: Residual, stages: float) -> None:
    facts: dict[str, Fact] = {"input_rms": 2.0, "output_rms": 0.002, "stages": stages}
    stage = mechanism.draw(facts, LAB, Stream(1))
    assert stage.x.square().mean(-1).sqrt().tolist() == pytest.approx([1.0] * 256)
    observed = mechanism.observe(stage, {})
    assert bool(mechanism.reproduces(observed, facts).all())
    assert observed["ratio"].tolist() == pytest.approx([0.001] * 256)


@pytest.mark.parametrize("broken", [{"input_rms": None}, {"output_rms": 0.0}, {"input_rms": math.nan}])
def test_without_two_rms_values_nothing_is_claimed(broken: dict[str, Fact]) -> None:
    assert Seen.of({**LOG, **broken}) is None
    assert EXPERIMENT.missing({**LOG, **broken}) != ""


def test_a_bad_knob_is_named() -> None:
    with pytest.raises(PostmortemError, match="residual_weight takes a number"):
        run(LOG, new="less")
