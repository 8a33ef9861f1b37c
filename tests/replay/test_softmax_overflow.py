"""The overflow experiment: which loss can be nan, and what would have kept it finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.experiments import load
from postmortem.replay.experiments import softmax_overflow as module
from postmortem.replay.judge import pool
from postmortem.replay.protocol import Answer, Beside, Fix, Lab, Rows
from postmortem.replay.stream import Stream
from postmortem.replay.values import dtype_named
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

KNOBS: dict[str, float | str] = {"temperature": 2.0, "logit_clip": 10.0, "dtype": "fp32", "ignore_empty": "true"}
LAB = lab_of(draws=256)


def run(facts: dict[str, Fact], **knobs: float | str) -> Answer:
    fixes = [Fix.model_validate({"knob": knob, "from": None, "to": value}) for knob, value in (knobs or KNOBS).items()]
    return load("softmax-overflow").run("nonfinite/loss", facts, fixes, LAB)


def words(answer: Answer) -> dict[tuple[str, str | None, str], str]:
    return {(r.mechanism, r.family, r.fix.knob): r.verdict for r in answer.replays}


def test_what_each_fix_does_to_each_cause() -> None:
    said = words(run({"dtype": "fp16", "logit": 12.0, "temperature": 3.0, "metric": "lm_loss"}))
    expected = {
        # exp(12) overflows fp16; a lower temperature makes 18 of it; fp32 holds exp(12).
        ("handwritten_softmax", None): ("refuted", "confirmed", "confirmed", "refuted"),
        ("stable_cross_entropy", None): ("not_reproduced",) * 4,
        ("empty_target", None): ("refuted", "refuted", "refuted", "confirmed"),
        ("nonfinite_logits", "inf"): ("refuted", "confirmed", "refuted", "refuted"),
        ("nonfinite_logits", "nan"): ("refuted",) * 4,
    }
    clip = words(run({"dtype": "fp16", "logit": 12.0}, logit_clip=7.0))
    for (mechanism, family), verdicts in expected.items():
        for knob, verdict in zip(KNOBS, verdicts, strict=True):
            source = clip if (mechanism, knob) == ("handwritten_softmax", "logit_clip") else said
            assert source[mechanism, family, knob] == verdict, (mechanism, family, knob)


def test_clipping_below_the_overflow_of_one_logit_is_not_enough_for_their_sum() -> None:
    # Four logits of 10 already sum to 4 * 22026 > 65504.
    said = words(run({"dtype": "fp16", "logit": 40.0}, logit_clip=10.0))
    assert said["handwritten_softmax", None, "logit_clip"] == "refuted"


def test_the_verdict_follows_the_numbers() -> None:
    # fp32 ends at 88.7: 12 is harmless there, 200 is not, and 5 is harmless in fp16 as well.
    assert words(run({"dtype": "fp32", "logit": 12.0}))["handwritten_softmax", None, "dtype"] == "not_reproduced"
    assert words(run({"dtype": "fp16", "logit": 200.0}))["handwritten_softmax", None, "dtype"] == "refuted"
    low = [r for r in run({"logit": 5.0}).replays if r.mechanism == "handwritten_softmax"]
    assert {r.verdict for r in low} == {"not_reproduced"}
    assert all("11.09" in r.because for r in low)


def test_a_lower_temperature_is_refuted_whatever_the_cause() -> None:
    answer = run({"dtype": "fp16", "temperature": 3.0}, temperature=2.0)
    (verdict,) = pool(answer.replays)
    assert verdict.verdict == "refuted"
    assert answer.predictions == ()


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_the_loss_is_torchs_own_mean(name: str) -> None:
    mechanism = module.StableCrossEntropy()
    scenario = mechanism.draw({"logit": 300.0}, Lab(draws=4), Stream(0))
    losses = mechanism.observe(scenario, {"dtype": name})["loss"]
    for values, targets, loss in zip(scenario.values, scenario.targets, losses, strict=True):
        theirs = functional.cross_entropy(values.to(dtype_named(name)), targets)
        assert theirs.isfinite()
        assert loss.item() == pytest.approx(theirs.item(), rel=1e-2)


def test_an_empty_batch_is_nan_in_torch_too() -> None:
    logits = torch.zeros(4, 8)
    assert functional.cross_entropy(logits, torch.full((4,), -100)).isnan()
    scenario = module.EmptyTarget().draw({}, Lab(draws=4), Stream(0))
    assert module.EmptyTarget().observe(scenario, {})["loss"].isnan().all()


def test_the_next_measurement_and_the_prediction_name_the_loss() -> None:
    answer = run({"metric": "lm_loss"})
    assert any("number of targets" in line and "lm_loss" in line for line in answer.measure_next)
    (prediction,) = answer.predictions
    assert (prediction.metric, prediction.low, prediction.high) == ("targets", 0.0, 0.0)
    assert "lm_loss" in prediction.where
    assert prediction.rows == Rows(beside=Beside(metric="lm_loss"))


@pytest.mark.parametrize(
    ("knob", "bad"), [("dtype", "int3"), ("temperature", 0.0), ("logit_clip", -1.0), ("logit_clip", "low")]
)
def test_a_bad_knob_is_named(knob: str, bad: float | str) -> None:
    with pytest.raises(PostmortemError, match=knob):
        run({}, **{knob: bad})


def test_ignoring_can_be_switched_off() -> None:
    said = words(run({}, ignore_empty="false"))
    assert said["empty_target", None, "ignore_empty"] == "refuted"
