"""The accumulation experiment: what dividing changes depends on the optimizer, and on what the log prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms.micro_batches import PrintedSum, SummedGradients
from postmortem.replay.protocol import Answer, Fix, Lab, Rows
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact, Value

LOG: dict[str, Fact] = {"grad_accum": 8.0, "loss": 16.2, "usual_loss": 2.02, "grad_norm": 24.0, "lr": 0.1}
NORM, LENGTH = (claim.text for claim in experiments.load("accumulation").claims)


def run(facts: dict[str, Fact], knob: str = "accumulation", new: Value = "mean") -> Answer:
    return experiments.load("accumulation").run("rule", facts, [Fix(knob=knob, new=new)], lab_of(draws=256))


def words(answer: Answer, claim: str) -> dict[tuple[str, str | None], str]:
    return {(r.mechanism, r.family): r.verdict for r in answer.replays if r.claim == claim}


def test_dividing_divides_the_norm_where_the_gradient_was_summed_and_nowhere_else() -> None:
    answer = run(LOG)
    said = words(answer, NORM)
    for optimizer in ("SGD", "SGD, clipped", "Adam"):
        assert said["summed_gradients", optimizer] == "confirmed"
        assert said["printed_sum", optimizer] == "refuted"
        # 16.2 / 2.02 = 8 times, where two means of losses within 1/2 to 2 differ by 4 at most
        assert said["mean_of_means", optimizer] == "not_reproduced"
    (effect,) = {
        r.effect for r in answer.replays if (r.mechanism, r.family, r.claim) == ("summed_gradients", "SGD", NORM)
    }
    assert effect is not None
    assert effect.before_median == pytest.approx(24.0, rel=1e-5)
    assert effect.median == pytest.approx(3.0, rel=1e-5)
    # the log does not tell the two apart, and says so
    assert {v.verdict for v in pool(answer.replays) if v.claim == NORM} == {"inconclusive"}


def test_an_eighth_of_the_learning_rate_makes_up_for_the_sum_under_sgd_alone() -> None:
    said = words(run({**LOG, "lr": 0.8}, "accumulation", "token_mean"), LENGTH)
    assert said["summed_gradients", "SGD"] == "confirmed"
    # Adam's first update is the sign of the gradient, and a clipped one has the length max_norm: both as before
    assert said["summed_gradients", "Adam"] == said["summed_gradients", "SGD, clipped"] == "inconclusive"
    lower = run(LOG, "lr", 0.1 / 8)
    assert words(lower, LENGTH)["summed_gradients", "Adam"] == "refuted"
    assert words(lower, LENGTH)["summed_gradients", "SGD, clipped"] == "refuted"
    (effect,) = {r.effect for r in lower.replays if (r.mechanism, r.family) == ("summed_gradients", "SGD")}
    assert effect is not None
    assert effect.median == pytest.approx(1.0, abs=0.1)


def test_a_norm_below_the_clip_is_not_cut() -> None:
    # norms of 0.8 and 0.1, both below max_norm = 1: clipping leaves the factor 8 in
    said = words(run({**LOG, "grad_norm": 0.8}, "accumulation", "token_mean"), LENGTH)
    assert said["summed_gradients", "SGD, clipped"] == "confirmed"


def test_the_printed_loss_is_eight_times_the_usual_one_in_what_is_kept() -> None:
    for mechanism in (SummedGradients("SGD"), PrintedSum("Adam")):
        observed = mechanism.observe(mechanism.draw(LOG, Lab(draws=512), Stream(1)), {})
        kept = mechanism.reproduces(observed, LOG)
        assert int(kept.sum()) >= 64
        assert observed["ratio"][kept].sub(16.2 / 2.02).abs().max() <= 0.15 * 16.2 / 2.02


def test_the_next_run_must_show_an_eighth() -> None:
    loss, norm = run(LOG).predictions
    assert (loss.low, loss.high) == (1.01, 4.04)
    assert (loss.rows, loss.was, norm.was) == (Rows(must="first"), 16.2, 24.0)
    assert norm.low == pytest.approx(2.7)
    assert norm.high == pytest.approx(3.3)


def test_another_number_of_micro_batches_cannot_make_the_ratio() -> None:
    said = words(run({**LOG, "grad_accum": 64.0}), NORM)
    assert set(said.values()) == {"not_reproduced"}


def test_without_a_loss_to_compare_with_nothing_is_claimed() -> None:
    answer = run({"grad_accum": 8.0, "loss": 16.2})
    assert {r.verdict for r in answer.replays} == {"inconclusive"}
    assert answer.predictions == ()


def test_a_learning_rate_whose_old_value_nobody_knows_settles_nothing() -> None:
    facts = {key: value for key, value in LOG.items() if key != "lr"}
    verdicts = {replay.verdict for replay in run(facts, "lr", 0.01).replays if replay.mechanism == "summed_gradients"}
    assert "confirmed" not in verdicts


def test_a_bad_knob_is_named() -> None:
    with pytest.raises(PostmortemError, match="accumulation takes one of sum, mean, token_mean, not 'half'"):
        run(LOG, new="half")
