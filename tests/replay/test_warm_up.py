"""A loss that rises again: told by its course and its gradient norms from data that have changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.replay.experiments.warm_up import EXPERIMENT
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms.courses import Seen
from postmortem.replay.mechanisms.rises import DriftingData, HarderData, SteepDirection
from postmortem.replay.protocol import Answer, Fix, Rows
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.mechanisms.rises import Course
    from postmortem.replay.protocol import Fact

RISE, LEARNS = (claim.text for claim in EXPERIMENT.claims)
LAB = lab_of(draws=256)
#: Down from 9.1 to 2.8 and up to 12.5, (12.5 - 2.8) / (9.1 - 2.8) = 1.54 times the fall.
COURSE: dict[str, Fact] = {"start": 9.1, "low": 2.8, "end": 12.5, "step": 3000, "last_step": 9000, "lr": 1e-3}
#: An exponential: hardly begun half-way, with a gradient that has grown with it.
GROWS: dict[str, Fact] = {**COURSE, "mid": 3.1, "noise": 0.05, "norm_low": 1.0, "norm_end": 40.0}
#: All at once, with the gradients of before.
JUMPS: dict[str, Fact] = {**COURSE, "mid": 12.5, "noise": 0.05, "norm_low": 1.0, "norm_end": 0.9}


def test_it_is_found_by_its_name() -> None:
    assert experiments.load("warm-up") is EXPERIMENT


def run(facts: dict[str, Fact], **knobs: float | str) -> Answer:
    fixes = [Fix.model_validate({"knob": knob, "from": facts.get(knob), "to": new}) for knob, new in knobs.items()]
    return EXPERIMENT.run("loss/divergence", facts, fixes, LAB)


def pooled(answer: Answer) -> dict[tuple[str, str], str]:
    return {(verdict.fix.knob, verdict.claim): verdict.verdict for verdict in pool(answer.replays)}


def words(answer: Answer, claim: str = RISE) -> dict[tuple[str, str | None], str]:
    return {(r.mechanism, r.family): r.verdict for r in answer.replays if r.claim == claim}


def test_a_lower_rate_keeps_down_a_loss_that_grows_out_of_nothing() -> None:
    answer = run(GROWS, lr=3e-4)
    assert pooled(answer)["lr", RISE] == "confirmed"
    assert words(answer)["steep_direction", "momentum 0.9"] == "confirmed"
    assert words(answer)["other_data", "harder"] == "not_reproduced"
    (prediction,) = answer.predictions
    # a tenth of the fall above the lowest: 2.8 + 0.63
    assert prediction.high == pytest.approx(3.43)
    assert (prediction.rows, prediction.was) == (Rows(must="last", last_step=9000), 12.5)


def test_a_warm_up_only_delays_a_curvature_that_stays() -> None:
    assert pooled(run(GROWS, warmup=300.0))["warmup", RISE] == "refuted"


def test_a_lower_rate_is_refuted_where_the_data_have_changed() -> None:
    said = words(run(JUMPS, lr=3e-4))
    assert said["other_data", "harder"] == "refuted"
    assert said["steep_direction", "SGD"] == "not_reproduced"
    assert "confirmed" not in said.values()


def test_a_lower_rate_lags_further_behind_data_that_drift() -> None:
    even = {**COURSE, "mid": 7.6}
    replays = [r for r in run(even, lr=3e-4).replays if (r.family, r.claim) == ("drifting", RISE)]
    assert [r.verdict for r in replays] == ["refuted"]
    assert replays[0].effect is not None
    assert replays[0].effect.median > replays[0].effect.before_median


def test_from_start_and_end_alone_the_two_cannot_be_told_apart() -> None:
    answer = run(COURSE, lr=3e-4)
    assert pooled(answer)["lr", RISE] == "inconclusive"
    assert {"confirmed", "refuted"} <= set(words(answer).values())
    assert any("one fixed batch" in step for step in answer.measure_next)


def test_a_warm_up_cures_a_curvature_that_falls() -> None:
    # nan in the third of three updates: soon enough for the curvature to be still on its way down
    said = words(run({"start": 2.3, "low": 2.2, "end": None, "step": 2, "last_step": 3, "lr": 1e-3}, warmup=300.0))
    assert said["falling_curvature", "SGD"] == "confirmed"
    assert said["steep_direction", "SGD"] == "refuted"


def test_a_rate_that_learns_nothing_is_no_cure() -> None:
    answer = run(GROWS, lr=1e-7)
    assert pooled(answer)["lr", LEARNS] == "refuted"


@pytest.mark.parametrize(
    "mechanism", [SteepDirection("SGD"), SteepDirection("momentum 0.9"), HarderData(), DriftingData()]
)
def test_what_is_kept_rises_as_logged(mechanism: Course) -> None:
    scenario = mechanism.draw(COURSE, LAB, Stream(3))
    observed = mechanism.observe(scenario, {})
    kept = mechanism.reproduces(observed, COURSE)
    assert int(kept.sum()) >= 64
    rise = observed["rise"][kept]
    assert rise.log().sub(math.log(9.7 / 6.3)).abs().max() <= math.log(1.25)


def test_the_noise_of_the_loss_is_the_logged_one() -> None:
    # in the stationary state: usual directions alone, begun at their minimum
    facts = {**COURSE, "noise": 0.3}
    scenario = DriftingData().draw(facts, LAB, Stream(4))
    seen = Seen.of(facts)
    assert seen is not None
    assert seen.noise == pytest.approx(0.3 / 6.3)
    gradient = scenario.noise * scenario.noisy
    x = torch.zeros_like(scenario.usual)
    losses = []
    for added in gradient.repeat(20, 1):
        x = x - (scenario.usual * x + added)
        losses.append(0.5 * scenario.usual * x.square())
    spread = torch.stack(losses)[len(gradient) :].std(0)
    assert float(spread.median()) == pytest.approx(0.3 / 6.3, rel=0.5)


@pytest.mark.parametrize(
    "broken",
    [
        {"low": None}, {"low": math.nan}, {"low": 20.0}, {"step": 0}, {"step": 9000}, {"last_step": None},
        {"end": 1.0}, {"start": math.inf}, {"end": "high"},
    ],
)  # fmt: skip
def test_without_a_fall_and_a_rise_nothing_is_claimed(broken: dict[str, Fact]) -> None:
    assert Seen.of({**COURSE, **broken}) is None
    assert EXPERIMENT.missing({**COURSE, **broken}) != ""


def test_a_bad_knob_is_named() -> None:
    with pytest.raises(PostmortemError, match="warmup takes a number"):
        run(COURSE, warmup="long")


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second = (run(COURSE, lr=3e-4) for _ in range(2))
    assert [r.effect for r in first.replays] == [r.effect for r in second.replays]
