"""An exploded gradient norm: which operation could have given that gain, and which fix limits it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay import experiments, judge
from postmortem.replay.experiments.gain_cascade import EXPERIMENT
from postmortem.replay.mechanisms.amplifiers import (
    AttentionSoftmax,
    CollapsedLayerNorm,
    CollapsedRms,
    ResidualAddition,
)
from postmortem.replay.protocol import Answer, Fact, Fix, Lab, Replay, Value
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.mechanisms.gains import Amplifier

LAB = lab_of(draws=256)
LOG: dict[str, Fact] = {
    "total_norm": 776853774304905088.0,
    "largest_norm": 757541177707724800.0,
    "eps": 1e-5,
    "rms_eps": 1e-8,
    "residual_weight": 1.0,
    "stages": 3.0,
}
INSIDE, OUTSIDE = "eps inside the root", "eps outside the root"
EVERY: tuple[Amplifier, ...] = (
    CollapsedLayerNorm("inside"),
    CollapsedLayerNorm("outside"),
    AttentionSoftmax(),
    CollapsedRms(),
    ResidualAddition(),
)


def run(facts: dict[str, Fact], knob: str = "eps", new: Value = 1e-6) -> Answer:
    return EXPERIMENT.run("rule", facts, [Fix(knob=knob, new=new)], LAB)


def by_mechanism(answer: Answer) -> dict[tuple[str, str | None], Replay]:
    return {(replay.mechanism, replay.family): replay for replay in answer.replays}


def words(answer: Answer) -> list[str]:
    return [replay.verdict for replay in answer.replays]


def pooled(answer: Answer) -> str:
    (verdict,) = judge.pool(answer.replays)
    return verdict.verdict


def test_the_experiment_is_found_by_its_name() -> None:
    assert experiments.load("gain-cascade") is EXPERIMENT


def test_softmax_and_residual_are_excluded_by_their_bounds() -> None:
    replays = by_mechanism(run(LOG))
    softmax, residual = replays["attention_softmax", None], replays["residual_addition", None]
    assert softmax.verdict == residual.verdict == "not_reproduced"
    # 1/2 to the power of 3, (1 + 1) to the power of 3; 7.77e17 over a usual norm of at most 100; its cube root
    assert "a gain of 0.125 at most, where 7.77e+15 or more is asked for" in softmax.because
    assert "a gain of 8 at most" in residual.because
    assert "3 stages in a row need a gain of 198,052 each, 1 + w with an f of gain 1 allows 2" in residual.needs
    assert "|K| |V| / sqrt(d) and the weights around it would have to give 396,104 a layer" in softmax.needs


def test_what_a_bound_allows_is_not_called_shown() -> None:
    # twelve norms: 7.77e15^(1/12) = 21.1 each, and 316^6 = 1e15 < 7.77e15 < 316^7; 1e5^3 < 7.77e15 < 1e5^4
    replays = by_mechanism(run(LOG))
    assert "12 norms in a row need a gain of 21.1 each" in replays["layer_norm", INSIDE].needs
    assert "allows 316: not excluded from 7 in a row on, and not shown" in replays["layer_norm", INSIDE].needs
    assert "allows 100,000: not excluded from 4 in a row" in replays["layer_norm", OUTSIDE].needs
    assert "not excluded from 2 in a row" in replays["rms_rescale", None].needs
    assert "not excluded" in EXPERIMENT.cannot_show


def test_a_smaller_eps_raises_the_norm() -> None:
    answer = run(LOG, "eps", 1e-6)
    assert pooled(answer) == "refuted"
    effect = by_mechanism(answer)["layer_norm", INSIDE].effect
    assert effect is not None
    assert effect.before_median == pytest.approx(7.7685e17, rel=0.05)
    assert effect.median > effect.before_high


@pytest.mark.parametrize(
    ("knob", "new", "rms", "verdict"),
    [
        ("residual_weight", 0.5, "refuted", "refuted"),
        ("logit_clip", 50.0, "refuted", "refuted"),
        ("max_norm", 1.0, "refuted", "refuted"),
        ("rms_eps", 1e-6, "refuted", "refuted"),
        ("scale_clamp", 1.5, "confirmed", "inconclusive"),  # 1.5^3 = 3.4, but the layer norms are left
    ],
)
def test_each_fix_moves_its_own_mechanism_alone(knob: str, new: float, rms: str, verdict: str) -> None:
    answer = run(LOG, knob, new)
    assert words(answer) == ["refuted", "refuted", "not_reproduced", rms, "not_reproduced"]
    assert pooled(answer) == verdict


def test_a_clamped_factor_leaves_the_bound_of_the_clamp() -> None:
    effect = by_mechanism(run({**LOG, "usual_norm": 20.0}, "scale_clamp", 1.5))["rms_rescale", None].effect
    assert effect is not None
    assert effect.median == pytest.approx(20 * 1.5**3)


def test_clipping_leaves_the_norm_that_it_returns() -> None:
    answer = run(LOG, "max_norm", 0.1)
    for replay in answer.replays:
        assert "clipping returns the norm from before it clips" in replay.because
        if replay.effect is not None:
            assert replay.effect.median == replay.effect.before_median


def test_a_clamp_that_the_log_states_excludes_the_rescaling() -> None:
    replay = by_mechanism(run({**LOG, "clamp": 1.5}))["rms_rescale", None]
    assert replay.verdict == "not_reproduced"
    assert "a gain of 3.38 at most" in replay.because  # 1.5^3


def test_fewer_stages_exclude_what_more_would_allow() -> None:
    # one stage, four norms: 316^4 = 1e10, and one rescaling 10 / 1e-8 = 1e9, against 7.77e15
    replays = by_mechanism(run({**LOG, "stages": 1.0}))
    assert replays["layer_norm", INSIDE].verdict == "not_reproduced"
    assert "a gain of 10,000,000,000 at most" in replays["layer_norm", INSIDE].because
    assert replays["rms_rescale", None].verdict == "not_reproduced"
    assert replays["layer_norm", OUTSIDE].verdict == "refuted"


def test_a_modest_gain_is_within_reach_of_the_residual() -> None:
    # 700 / 10 = 70 <= 2^7 = 128; with a weight of 0.1 seven stages give at most 1.1^7 = 1.9
    facts: dict[str, Fact] = {"total_norm": 700.0, "usual_norm": 10.0, "stages": 7.0}
    replay = by_mechanism(run(facts, "residual_weight", 0.1))["residual_addition", None]
    assert replay.verdict == "confirmed"
    assert replay.effect is not None
    assert replay.effect.before_median == pytest.approx(700.0, rel=0.05)
    assert replay.effect.high <= 10.0 * 1.1**7


def test_a_norm_that_is_no_explosion_credits_no_fix() -> None:
    answer = run({"total_norm": 30.0, "usual_norm": 5.0}, "eps", 1e-3)
    judged = [replay for replay in answer.replays if replay.share is not None]
    assert judged
    assert all("it holds without the fix as well" in replay.because for replay in judged)
    assert "confirmed" not in {replay.verdict for replay in answer.replays}
    assert all("without the fix" not in replay.because for replay in run(LOG).replays)


def test_the_place_of_eps_that_the_log_states() -> None:
    families = [replay.family for replay in run({**LOG, "eps_place": "outside"}).replays]
    assert OUTSIDE in families
    assert INSIDE not in families


@pytest.mark.parametrize("mechanism", EVERY, ids=lambda m: m.family or m.name)
def test_no_jacobian_passes_the_bound_of_its_mechanism(mechanism: Amplifier) -> None:
    facts: dict[str, Fact] = {"total_norm": 1e6, "usual_norm": 1.0, "eps": 1e-4, "rms_eps": 1e-4, "target_rms": 2.0}
    chain = mechanism.draw(facts, Lab(draws=32), Stream(0))
    largest = 0.0
    for strength in (1e-9, 1e-2, 1.0):
        tried = replace(chain, strength=torch.full_like(chain.strength, strength))
        x = mechanism.inputs(chain.x[0], tried)
        full = torch.func.jacrev(partial(mechanism.apply, chain=tried))(x)
        jacobians = torch.stack([full[i, :, i] for i in range(32)])
        largest = max(largest, float(torch.linalg.matrix_norm(jacobians, 2).max()))
    # weights 1: 1 / sqrt(1e-4) = 100 and 1 / 1e-4; 2 / 1e-4; 1/2; 1 + 1
    expected = {INSIDE: 100.0, OUTSIDE: 1e4, "rms_rescale": 2e4, "attention_softmax": 0.5, "residual_addition": 2.0}
    bound = expected[mechanism.family or mechanism.name]
    assert mechanism.each(facts) == pytest.approx(bound)
    assert largest <= bound * (1 + 1e-6)
    assert largest >= bound * (0.5 if mechanism.name == "attention_softmax" else 0.9)


def test_the_jacobian_of_a_softmax_reaches_one_half() -> None:
    # with p = (1/2, 1/2) it is [[1/4, -1/4], [-1/4, 1/4]], whose eigenvalues are 0 and 1/2
    jacobian = torch.func.jacrev(lambda x: x.softmax(-1))(torch.zeros(2, dtype=torch.float64))
    assert jacobian.tolist() == [[0.25, -0.25], [-0.25, 0.25]]
    assert float(torch.linalg.matrix_norm(jacobian, 2)) == pytest.approx(AttentionSoftmax().each({}))


def test_kept_layer_norms_show_the_norm_with_the_operation_of_torch() -> None:
    mechanism = CollapsedLayerNorm("inside")
    facts: dict[str, Fact] = {**LOG, "usual_norm": 10.0}
    chain = mechanism.draw(facts, Lab(draws=64), Stream(0))
    norm = mechanism.observe(chain, {})["norm"]
    one = int((norm / 776853774304905088.0 - 1).abs().argmin())
    gradient = chain.gradient[one]
    for unit in chain.x[: int(chain.count[one]), one]:
        x = (chain.strength[one] * unit).requires_grad_()
        output = torch.nn.functional.layer_norm(x, x.shape, eps=float(chain.numbers["eps"][one]))
        (gradient,) = torch.autograd.grad(output, x, gradient)
    assert 10.0 * float(gradient.norm()) == pytest.approx(776853774304905088.0, rel=1e-3)


def test_predictions_say_what_each_mechanism_would_show() -> None:
    predictions = {p.metric: p for p in run(LOG).predictions}
    assert set(predictions) == {"grad_norm", "norm_input_std", "output_rms"}
    assert predictions["grad_norm"].high == 1000.0  # ten times the largest usual norm of the prior
    # the gain per rescaling is 198,052 = 7.77e15^(1/3) at least: an RMS of 10 / 198,052
    assert predictions["output_rms"].high == pytest.approx(5.049e-5, rel=1e-3)
    assert predictions["norm_input_std"].high == pytest.approx(1 / 21.12, rel=1e-2)
    assert "at most 3 in a row" in predictions["output_rms"].assumptions[0]


def test_excluded_mechanisms_predict_nothing() -> None:
    facts = {**LOG, "clamp": 1.5, "usual_norm": 4.0}
    predictions = {p.metric: p for p in run(facts).predictions}
    assert set(predictions) == {"grad_norm", "norm_input_std"}
    assert predictions["grad_norm"].high == 40.0


def test_the_backward_pass_is_what_to_measure_next() -> None:
    gradients, *collapsed = run(LOG).measure_next
    assert "layer by layer and loss term by loss term" in gradients
    assert "of the backward pass, and a check of the forward pass can stay silent" in gradients
    assert [text.split(",")[0] for text in collapsed] == [
        "the least std of a vector that enters a norm",
        "the least output RMS before it is rescaled",
    ]


def test_the_largest_norm_stands_in_for_a_total_that_is_not_shown() -> None:
    replays = by_mechanism(run({"largest_norm": 1e12, "stages": 1.0}))
    assert "where 10,000,000,000 or more is asked for" in replays["attention_softmax", None].because


@pytest.mark.parametrize("total", [None, math.inf, math.nan, "huge", 0.0])
def test_without_a_finite_norm_the_answer_says_what_is_missing(total: Fact) -> None:
    answer = run({"total_norm": total})
    assert {(replay.verdict, replay.scenarios.drawn) for replay in answer.replays} == {("inconclusive", 0)}
    assert all("the log gives no finite gradient norm" in replay.because for replay in answer.replays)
    assert (answer.predictions, answer.measure_next) == ((), ())


@pytest.mark.parametrize(
    "facts",
    [
        {"total_norm": 1e300, "usual_norm": 1e-90},
        {"total_norm": 1e12, "stages": 1e300},
        {"total_norm": 1e12, "eps": 0.0, "rms_eps": 0.0, "residual_weight": 0.0, "clamp": 0.0, "usual_norm": 0.0},
        {"total_norm": 1e-9},
    ],
)
def test_senseless_facts_are_survived(facts: dict[str, Fact]) -> None:
    assert len(run(facts).replays) == 5


def test_a_fix_that_is_no_amount_is_named() -> None:
    with pytest.raises(PostmortemError, match="eps takes a number"):
        run(LOG, "eps", "small")
