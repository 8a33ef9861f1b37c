"""A penalty with a pole: what it can give at a correlation, and what a bounded one changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.replay.experiments.pole_penalty import EXPERIMENT
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms.penalties import AmplifiedBelow, Penalty, Pole, Seen, ShortVector
from postmortem.replay.protocol import Answer, Fix, Rows
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact, Value

LAB = lab_of(draws=256)


def run(facts: dict[str, Fact], knob: str = "penalty", new: Value = "square") -> Answer:
    return EXPERIMENT.run("rule", facts, [Fix(knob=knob, new=new)], LAB)


def words(answer: Answer) -> dict[str, str]:
    return {replay.mechanism: replay.verdict for replay in answer.replays}


def test_it_is_found_by_its_name() -> None:
    assert experiments.load("pole-penalty") is EXPERIMENT


def test_a_bounded_penalty_cures_what_the_pole_made() -> None:
    # -ln(1 - |c|) = 9.2: 1 - |c| = 1e-4, a gradient of sqrt(2 / 1e-4) = 141 over |x|; of c^2 it is 2 * 0.014 over |x|
    answer = run({"total_norm": 4000.0, "usual_norm": 5.0, "penalty": 9.2})
    assert words(answer)["pole"] == "confirmed"
    assert [verdict.verdict for verdict in pool(answer.replays)] == ["confirmed"]
    (prediction,) = answer.predictions
    assert prediction.high == 50.0
    assert prediction.rows == Rows()
    assert prediction.fix is not None


def test_an_ordinary_correlation_needs_another_fix() -> None:
    # penalty 0.7: |c| = 0.5, where c^2 has a slope of 1 in place of 2
    answer = run({"total_norm": 1e6, "usual_norm": 5.0, "penalty": 0.7})
    said = words(answer)
    assert said["pole"] == "not_reproduced"
    assert said["short_vector"] == said["amplified_below"] == "refuted"
    assert [verdict.verdict for verdict in pool(answer.replays)] == ["refuted"]
    assert answer.predictions == ()


def test_float32_bounds_the_pole() -> None:
    (pole,) = [r for r in run({"total_norm": 7.8e17}).replays if r.mechanism == "pole"]
    assert pole.verdict == "not_reproduced"
    # sqrt(2 * 2^24) / 0.3 = 19,309, times a weight of 10 and 100 for the layers below
    assert "19,308,729 at most, where 7.8e+17 is logged" in pole.because


def test_an_eps_acts_on_a_short_vector_and_not_on_the_layers_below() -> None:
    said = words(run({"total_norm": 1e12, "usual_norm": 5.0, "penalty": 0.7}, "correlation_eps", 10.0))
    assert said["short_vector"] == "confirmed"
    assert said["amplified_below"] == "refuted"


def test_a_cut_below_the_correlation_leaves_no_gradient() -> None:
    facts: dict[str, Fact] = {"total_norm": 4000.0, "usual_norm": 5.0, "correlation": 0.9999}
    (pole,) = [r for r in run(facts, "correlation_clamp", 0.99).replays if r.mechanism == "pole"]
    assert pole.effect is not None
    assert pole.effect.before_median == pytest.approx(4000.0, rel=1e-6)
    assert pole.effect.median == pytest.approx(5.0, rel=1e-9)
    # and one above it changes nothing
    assert words(run(facts, "correlation_clamp", 0.99999))["pole"] == "refuted"


@pytest.mark.parametrize("mechanism", [Pole(), ShortVector(), AmplifiedBelow()])
def test_what_is_drawn_has_its_correlation_and_the_norm_of_the_log(mechanism: Penalty) -> None:
    facts: dict[str, Fact] = {"total_norm": 900.0, "penalty_weight": 0.5}
    pairs = mechanism.draw(facts, LAB, Stream(1))
    kept = mechanism.reproduces(mechanism.observe(pairs, {}), facts)
    assert int(kept.sum()) >= 64
    # by the law: weight * below * sqrt((1 + c) / (1 - c)) / |x|, beside the usual norm
    gain = ((2 - pairs.apart) / pairs.apart).sqrt() / pairs.length
    norm = torch.hypot(0.5 * pairs.below * gain, pairs.usual)[kept]
    assert norm.tolist() == pytest.approx([900.0] * len(norm), rel=0.05)


@pytest.mark.parametrize("norm", [None, 0.0, math.nan, "large"])
def test_without_a_norm_nothing_is_claimed(norm: Fact) -> None:
    assert Seen.of({"total_norm": norm}) is None
    assert EXPERIMENT.missing({"total_norm": norm}) != ""


@pytest.mark.parametrize(("knob", "bad"), [("penalty", "cubic"), ("correlation_eps", -1.0)])
def test_a_bad_knob_is_named(knob: str, bad: Value) -> None:
    with pytest.raises(PostmortemError, match=knob):
        run({"total_norm": 4000.0}, knob, bad)
