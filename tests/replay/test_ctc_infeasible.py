"""An infinite CTC loss: three causes, and the fix of each that lets the sequence be learned."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.replay.experiments.ctc_infeasible import EXPERIMENT
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms.alignments import Alignment, BrokenLogit, ImpossibleLabel, TooShort
from postmortem.replay.protocol import Answer, Fix
from postmortem.replay.reference.ctc_loss import ctc_loss, frames_needed
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact, Value

LAB = lab_of(draws=96)
LOSS, GRADIENT, LEARNED = (claim.text for claim in EXPERIMENT.claims)
LOG: dict[str, Fact] = {"kind": "inf", "downsampling": 4.0}


def run(facts: dict[str, Fact], knob: str, new: Value) -> Answer:
    return EXPERIMENT.run("rule", facts, [Fix(knob=knob, new=new)], LAB)


def words(answer: Answer, claim: str) -> dict[tuple[str, str | None], str]:
    return {(r.mechanism, r.family): r.verdict for r in answer.replays if r.claim == claim}


def test_it_is_found_by_its_name() -> None:
    assert experiments.load("ctc-infeasible") is EXPERIMENT


def test_zero_infinity_makes_the_loss_finite_and_teaches_nothing() -> None:
    answer = run(LOG, "zero_infinity", "true")
    verdicts = {verdict.claim: verdict.verdict for verdict in pool(answer.replays)}
    assert verdicts[LOSS] == "confirmed"
    assert verdicts[LEARNED] == "refuted"
    gradient = words(answer, GRADIENT)
    assert gradient["no_alignment", None] == "confirmed"
    # log of a probability that was rounded to 0: its derivative is 0 / 0
    assert gradient["impossible_label", "softmax in half precision"] == "refuted"


def test_half_the_thinning_fits_what_lacked_up_to_half() -> None:
    facts: dict[str, Fact] = {**LOG, "input_length": 60.0, "target_length": 100.0}
    learned = words(run(facts, "downsampling", 2.0), LEARNED)
    # 60 % of the frames become 120 %, rounded on a short sequence
    assert learned["no_alignment", None] == "confirmed"
    # without lengths to go by, a masked label stays masked
    assert words(run(LOG, "downsampling", 2.0), LEARNED)["impossible_label", "masked logit"] == "refuted"
    # 30 % become 60 %
    short = words(run({**facts, "input_length": 30.0}, "downsampling", 2.0), LEARNED)
    assert short["no_alignment", None] == "refuted"


def test_a_stable_log_softmax_cures_rounding_and_nothing_else() -> None:
    learned = words(run(LOG, "log_softmax", "true"), LEARNED)
    assert learned["impossible_label", "softmax in half precision"] == "confirmed"
    assert learned["no_alignment", None] == learned["impossible_label", "masked logit"] == "refuted"


def test_nan_and_inf_have_different_causes() -> None:
    inf, nan = (words(run({"kind": kind}, "zero_infinity", "true"), LOSS) for kind in ("inf", "nan"))
    assert inf["nonfinite_logit", "inf"] == inf["nonfinite_logit", "nan"] == "not_reproduced"
    assert nan["no_alignment", None] == nan["impossible_label", "masked logit"] == "not_reproduced"
    # nan is not infinity: it stays
    assert nan["nonfinite_logit", "inf"] == nan["nonfinite_logit", "nan"] == "refuted"


def test_frames_enough_exclude_the_missing_alignment() -> None:
    facts: dict[str, Fact] = {**LOG, "input_length": 199.0, "target_length": 100.0}
    (replay,) = [
        r for r in run(facts, "downsampling", 2.0).replays if r.mechanism == "no_alignment" and r.claim == LOSS
    ]
    assert replay.verdict == "not_reproduced"
    # 100 labels, each of them repeated at worst: 100 + 99
    assert "100 labels need 199 frames at most" in replay.because
    fewer = {**facts, "input_length": 120.0, "repeats": 30.0}
    assert words(run(fewer, "zero_infinity", "true"), LOSS)["no_alignment", None] == "confirmed"


@pytest.mark.parametrize("mechanism", [TooShort(), ImpossibleLabel("masked logit"), BrokenLogit(math.inf)])
def test_one_sequence_is_broken_and_the_others_are_not(mechanism: Alignment) -> None:
    speech = mechanism.draw({}, LAB, Stream(2))
    frames = (speech.raw + speech.factor - 1).div(speech.factor, rounding_mode="floor")
    needed = frames_needed(speech.labels.flatten(0, 1), speech.lengths.flatten()).reshape(frames.shape)
    assert bool((frames[:, 1:] >= needed[:, 1:]).all())
    assert bool((frames[:, 0] < needed[:, 0]).all()) is isinstance(mechanism, TooShort)
    assert not mechanism.observe(speech, {})["loss"].isfinite().any()


def test_the_loss_is_that_of_the_reference() -> None:
    speech = TooShort().draw({"downsampling": 2.0}, LAB, Stream(5))
    longer = TooShort().observe(speech, {"downsampling": 1.0})["loss"]
    expected = ctc_loss(
        functional.log_softmax(speech.logits[:, 0].double(), -1),
        speech.labels[:, 0],
        speech.raw[:, 0],
        speech.lengths[:, 0],
    )
    torch.testing.assert_close(longer, expected, rtol=1e-4, atol=1e-4)


def test_a_thinning_beyond_what_is_simulated_settles_nothing() -> None:
    answer = run({**LOG, "downsampling": 100.0}, "downsampling", 50.0)
    assert {replay.verdict for replay in answer.replays} == {"inconclusive"}
    assert "more than 8 is not simulated" in answer.replays[0].because


@pytest.mark.parametrize(("knob", "bad"), [("downsampling", "half"), ("zero_infinity", "maybe")])
def test_a_bad_knob_is_named(knob: str, bad: Value) -> None:
    with pytest.raises(PostmortemError, match=knob):
        run(LOG, knob, bad)


def test_fewer_frames_than_labels_leave_nothing_to_a_label_s_probability() -> None:
    answer = run({**LOG, "input_length": 21.0, "target_length": 33.0}, "downsampling", 2.0)
    said = words(answer, LOSS)
    assert said["impossible_label", "masked logit"] == "not_reproduced"
    assert {verdict.verdict for verdict in pool(answer.replays)} == {"confirmed"}
    excluded = next(r.because for r in answer.replays if r.mechanism == "impossible_label")
    assert "33 labels need 33 frames at least, and there are 21" in excluded


def test_only_a_confirmed_fix_predicts_that_the_loss_is_finite() -> None:
    short: dict[str, Fact] = {**LOG, "input_length": 21.0, "target_length": 33.0, "metric": "ctc_loss"}
    predicted = {p.id: p for p in run(short, "downsampling", 2.0).predictions}
    finite = predicted["ctc-infeasible/finite@downsampling=2.0"]
    assert (finite.metric, finite.fix) == ("ctc_loss", Fix(knob="downsampling", new=2.0))
    # 10 frames for 33 labels: twice as many do not do
    refuted = run({**short, "input_length": 10.0}, "downsampling", 2.0).predictions
    assert [p.id for p in refuted] == ["ctc-infeasible/input_length"]
