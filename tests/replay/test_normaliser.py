"""A normaliser's output beyond its bound: which mechanisms show it, and what eps and dtype would change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay import experiments, judge
from postmortem.replay.experiments.normaliser import EXPERIMENT
from postmortem.replay.mechanisms.normalisers import HonestSmallStd, LostInBfloat16, OtherDivisor
from postmortem.replay.protocol import Answer, Fact, Fix, Lab, Rows, Value
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.mechanisms.normalisers import Normaliser

LAB = lab_of(draws=256)
MECHANISMS = ("honest_small_std", "lost_variance", "other_divisor", "other_divisor")


def fix(knob: str, new: Value) -> Fix:
    return Fix(knob=knob, new=new)


def run(facts: dict[str, Fact], *fixes: Fix, lab: Lab = LAB) -> Answer:
    return EXPERIMENT.run("rule", facts, fixes or [fix("eps", 1e-3)], lab)


def pooled(answer: Answer) -> dict[Value, str]:
    return {verdict.fix.new: verdict.verdict for verdict in judge.pool(answer.replays)}


def test_the_experiment_is_found_by_its_name() -> None:
    assert experiments.load("normaliser") is EXPERIMENT
    assert EXPERIMENT.name == "normaliser"


@pytest.mark.parametrize(
    "facts",
    [
        {"value": 139264.0, "eps": 1e-5, "dtype": "bf16"},
        {"value": 27787264.0, "dtype": "bfloat16"},
        {"value": 4.2e6, "eps": 1e-6, "eps_place": "outside", "width": 96.0, "residual": 0.0, "dtype": "bf16"},
        {"value": 5.1e4, "eps": 1e-5, "eps_place": "inside", "width": 2048.0, "dtype": "fp32"},
    ],
)
def test_beyond_the_bound_a_larger_eps_is_refuted(facts: dict[str, Fact]) -> None:
    answer = run(facts)
    assert tuple(replay.mechanism for replay in answer.replays) == MECHANISMS
    assert [replay.verdict for replay in answer.replays] == ["not_reproduced", *["refuted"] * 3]
    assert all(replay.scenarios.kept >= judge.FEWEST_KEPT for replay in answer.replays[1:])
    assert pooled(answer) == {1e-3: "refuted"}


def test_the_statistics_in_float32_cure_a_lost_variance_and_nothing_else() -> None:
    answer = run({"value": 139264.0, "eps": 1e-5, "dtype": "bf16"}, fix("dtype", "fp32"))
    assert [r.verdict for r in answer.replays] == ["not_reproduced", "confirmed", "refuted", "refuted"]
    assert pooled(answer) == {"fp32": "inconclusive"}


def test_a_variance_lost_in_float32_is_not_cured_by_float32() -> None:
    answer = run({"value": 139264.0, "eps": 1e-5, "dtype": "fp32"}, fix("dtype", "fp32"))
    assert [r.verdict for r in answer.replays] == ["not_reproduced", "refuted", "refuted", "refuted"]


def test_a_lost_variance_scales_with_eps_and_no_more() -> None:
    # Outside the root 1e-5 -> 1e-3 divides by 100, up to the 0.4 % to which bfloat16 rounds each eps.
    facts: dict[str, Fact] = {"value": 139264.0, "eps": 1e-5, "eps_place": "outside", "residual": 0.0, "dtype": "bf16"}
    effect = run(facts).replays[1].effect
    assert effect is not None
    assert effect.before_median == pytest.approx(139264.0, rel=0.02)
    assert effect.median == pytest.approx(1392.64, rel=0.03)


def test_the_ceiling_of_an_honest_std_is_the_bound_of_its_width() -> None:
    # sqrt(127) = 11.27, and 12.27 with the residual; without one for the 4096 of the prior sqrt(4095) = 63.99
    known = run({"value": 500.0, "width": 128.0}).replays[0].because
    assert "12.3 at most" in known
    assert "sqrt(127) = 11.3" in known
    assert "would need 2.5e+05 values" in known  # (500 - 1)^2 + 1 = 249,002
    assert "64 at most" in run({"value": 500.0, "residual": 0.0}).replays[0].because


@pytest.mark.parametrize(("value", "width"), [(6.0, 64.0), (8.6, 64.0), (2.0, 32.0), (40.0, 4096.0), (50.0, None)])
def test_within_the_bound_nothing_is_called_impossible(value: float, width: float | None) -> None:
    lab = LAB if width else lab_of(draws=1024)  # of the widths of the prior only the largest allows 50
    answer = run({"value": value, "width": width, "eps": 1e-5}, lab=lab)
    assert all(replay.verdict != "not_reproduced" for replay in answer.replays)
    # the bound holds, as it did before: that credits no fix, and the reason says so
    assert answer.replays[0].verdict == "inconclusive"
    assert "it holds without the fix as well" in answer.replays[0].because


def test_the_same_value_is_beyond_the_bound_of_a_smaller_width() -> None:
    # 20 <= sqrt(511) + 1 = 23.6, and 20 > sqrt(255) + 1 = 17.0
    assert run({"value": 20.0, "width": 512.0}).replays[0].verdict != "not_reproduced"
    assert run({"value": 20.0, "width": 256.0}).replays[0].verdict == "not_reproduced"


def test_weights_and_biases_widen_the_bound() -> None:
    # 3 sqrt(63) + 2 + 1 = 26.8
    facts: dict[str, Fact] = {"value": 26.0, "width": 64.0, "weight": 3.0, "bias": 2.0}
    assert run(facts).replays[0].verdict != "not_reproduced"
    assert run({**facts, "value": 28.0}).replays[0].verdict == "not_reproduced"


def test_a_weight_beyond_float32_is_survived_and_proves_nothing() -> None:
    answer = run({"value": 1.0, "weight": 1e300}, fix("dtype", "fp32"))
    assert {replay.verdict for replay in answer.replays} == {"inconclusive"}


def test_eps_still_matters_to_an_honest_std() -> None:
    # std and eps are of one size there: ten thousand times the eps takes most of the output, down to the residual
    effect = run({"value": 6.0, "width": 64.0, "eps": 1e-5}, fix("eps", 0.1)).replays[0].effect
    assert effect is not None
    assert effect.before_median == pytest.approx(6.0, rel=0.02)
    assert effect.median < 2.0


def test_no_float16_shows_more_than_65504() -> None:
    by_family = {r.family: r for r in run({"value": 70000.0, "eps": 1e-5}).replays}
    assert by_family["float16"].verdict == "not_reproduced"
    assert "65,504 at most" in by_family["float16"].because
    assert by_family["bfloat16"].verdict == "refuted"


@pytest.mark.parametrize(
    "mechanism", [HonestSmallStd(), LostInBfloat16(), OtherDivisor("another tensor"), OtherDivisor("its own input")]
)
@pytest.mark.parametrize("place", ["inside", "outside"])
def test_the_shown_value_is_the_one_that_the_formula_gives(mechanism: Normaliser, place: str) -> None:
    value = 7.0 if mechanism.name == "honest_small_std" else 9000.0
    facts: dict[str, Fact] = {"value": value, "width": 64.0, "eps": 1e-4, "eps_place": place}
    (batch,) = mechanism.draw(facts, LAB, Stream(0))
    kept = mechanism.reproduces(mechanism.observe([batch], {}), facts)
    assert int(kept.sum()) >= judge.FEWEST_KEPT
    # the formula in float64, with no code of the package; bfloat16 takes x as it stored it, and no variance at all
    x = (batch.x.bfloat16() if mechanism.name == "lost_variance" else batch.x).double()
    eps = 1e-4
    if mechanism.name == "other_divisor":
        by = x if batch.by is None else batch.by.double()
        divisor = (by**2 + eps).sqrt() if place == "inside" else by + eps
    elif mechanism.name == "lost_variance":
        divisor = torch.full_like(x, math.sqrt(eps) if place == "inside" else eps)
    else:
        var = x.var(-1, correction=0, keepdim=True)
        divisor = (var + eps).sqrt() if place == "inside" else var.sqrt() + eps
    mean = x.mean(-1, keepdim=True)
    mean = mean.bfloat16().double() if mechanism.name == "lost_variance" else mean
    score = (x - mean) / divisor
    largest = (batch.weight * score + batch.offset).abs().amax((1, 2))[kept]
    if mechanism.name == "lost_variance":  # vectors that kept a variance come out smaller than that
        assert bool((largest >= value * 0.98).all())
    else:
        assert largest.tolist() == pytest.approx([value] * int(kept.sum()), rel=0.02)


def test_the_prediction_is_the_bound_with_what_it_assumes() -> None:
    (prediction,) = run({"value": 139264.0, "width": 257.0, "name": "XV output", "scope": 29.0}).predictions
    assert (prediction.metric, prediction.where, prediction.basis) == ("XV output", "29", "law")
    assert (prediction.low, prediction.high) == (-17.0, 17.0)  # sqrt(256) + 1
    assert (prediction.rows, prediction.was, prediction.rule) == (Rows(frame="tensors"), 139264.0, "rule")
    assert prediction.assumptions == [
        "width <= 257, as the log has it",
        "|w| <= 1",
        "b = 0",
        "|residual| <= 1",
    ]
    assert prediction.statement.startswith("|XV output| <= 17 in 29")


def test_the_divisor_is_what_to_measure_next() -> None:
    asked = run({"value": 500.0, "width": 101.0, "dtype": "bf16"}).measure_next
    assert asked[0] == "shape, min and max of the divisor: one value per vector, none below 0"
    assert "from 49.9 on" in asked[1]  # (500 - 1) / sqrt(100)
    assert "mean and std of its input" in asked[2]
    assert len(run({"value": 500.0, "width": 101.0, "weight": 1.0}).measure_next) == 2


@pytest.mark.parametrize("value", [None, math.inf, math.nan, "large", 0.0])
def test_without_a_finite_value_the_answer_says_what_is_missing(value: Fact) -> None:
    answer = run({"value": value})
    assert {(replay.verdict, replay.scenarios.drawn) for replay in answer.replays} == {("inconclusive", 0)}
    (verdict,) = judge.pool(answer.replays)
    assert verdict.verdict == "inconclusive"
    assert "the log gives no finite value of the normalised tensor" in verdict.because


@pytest.mark.parametrize(
    "facts",
    [
        {"value": 1e300},
        {"value": 5e4, "width": 1e12, "dtype": "fp32", "eps_place": "inside"},
        {"value": 5e4, "width": -3.0, "eps": math.nan, "eps_place": "beside", "dtype": "int8"},
        {"value": 5e4, "eps": 0.0, "weight": 0.0},
    ],
)
def test_senseless_facts_are_survived(facts: dict[str, Fact]) -> None:
    replays = run(facts, lab=lab_of(draws=64)).replays
    assert {replay.mechanism for replay in replays} == set(MECHANISMS)


@pytest.mark.parametrize(("knob", "new"), [("eps", "small"), ("eps", -1.0), ("dtype", "int8")])
def test_a_fix_that_is_no_setting_is_named(knob: str, new: Value) -> None:
    with pytest.raises(PostmortemError, match=f"{knob} takes"):
        run({"value": 139264.0, "eps": 1e-5}, fix(knob, new))


def test_a_fix_of_another_knob_is_not_judged() -> None:
    assert run({"value": 139264.0}, fix("lr", 1e-4)).replays == ()


def test_the_same_seed_gives_the_same_answer_and_another_seed_the_same_verdict() -> None:
    facts: dict[str, Fact] = {"value": 139264.0, "eps": 1e-5, "dtype": "bf16"}
    first, again, other = (run(facts, lab=lab_of(seed=seed, draws=256)) for seed in (3, 3, 4))
    assert [r.effect for r in first.replays] == [r.effect for r in again.replays]
    assert [r.effect for r in first.replays] != [r.effect for r in other.replays]
    assert pooled(first) == pooled(other)
