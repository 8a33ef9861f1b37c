"""Infinite norms at the start: what each fix changes, and which numbers no search for a scale can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay import judge
from postmortem.replay.experiments import load
from postmortem.replay.mechanisms.overflow import (
    AFTER_UPDATE,
    BEFORE_UNSCALE,
    BEFORE_UPDATE,
    PLACES,
    ExplosionInFloat32,
    ScalerSearch,
    SkipRule,
    _search,
)
from postmortem.replay.protocol import Answer, Fix, Lab, Rows
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from postmortem.replay.mechanism import Mechanism
    from postmortem.replay.mechanisms.startup import Scenario
    from postmortem.replay.protocol import Fact, Replay, Value

#: 80 networks are trained: as few as still carry a verdict when some fall out.
LAB = lab_of(draws=640)
#: Enough where nothing is to be reproduced.
SMALL = lab_of(draws=128)
LOGGED: dict[str, Fact] = {"inf_steps": 3, "first_batch": 0, "loss": 104.356, "lr": 1e-4, "max_norm": 1.0}
ALL: tuple[tuple[str, Value], ...] = (
    ("lr", 1e-5),
    ("max_norm", 0.5),
    ("weight_init", 0.001),
    ("dtype", "bf16"),
    ("dtype", "fp32"),
    ("init_scale", 256.0),
    ("skip_above", 10.0),
)


def run(facts: dict[str, Fact], *fixes: tuple[str, Value], lab: Lab = LAB) -> Answer:
    turned = [Fix.model_validate({"knob": knob, "to": new}) for knob, new in fixes]
    return load("amp-startup").run("amp/scaler-startup", facts, turned, lab)


def alone(
    mechanism: Mechanism[Scenario], facts: dict[str, Fact], *fixes: tuple[str, Value], lab: Lab = LAB
) -> list[str]:
    """The verdicts of one mechanism, without its competitors."""
    return [replay.verdict for replay in replays(mechanism, facts, *fixes, lab=lab)]


def replays(
    mechanism: Mechanism[Scenario], facts: dict[str, Fact], *fixes: tuple[str, Value], lab: Lab = LAB
) -> list[Replay]:
    turned = [Fix.model_validate({"knob": knob, "to": new}) for knob, new in fixes]
    return load("amp-startup")._replay(mechanism, "amp/scaler-startup", facts, turned, lab)


def words(answer: Answer) -> dict[tuple[str, Value], str]:
    return {(verdict.fix.knob, verdict.fix.new): verdict.verdict for verdict in judge.pool(answer.replays)}


def of(answer: Answer, mechanism: str) -> list[Replay]:
    return [replay for replay in answer.replays if replay.mechanism == mechanism]


@pytest.fixture(scope="module")
def answer() -> Answer:
    return run(LOGGED, *ALL)


def test_only_what_touches_the_scale_or_the_range_ends_the_infinite_norms(answer: Answer) -> None:
    assert words(answer) == {
        ("lr", 1e-5): "refuted",
        ("max_norm", 0.5): "refuted",
        ("weight_init", 0.001): "refuted",
        ("dtype", "bf16"): "confirmed",
        ("dtype", "fp32"): "confirmed",
        ("init_scale", 256.0): "confirmed",
        ("skip_above", 10.0): "refuted",
    }


def test_learning_rate_and_clipping_change_not_one_norm_of_the_search(answer: Answer) -> None:
    for replay in of(answer, "scaler_search")[:2]:
        assert replay.effect is not None
        before = (replay.effect.before_low, replay.effect.before_median, replay.effect.before_high)
        assert before == (replay.effect.low, replay.effect.median, replay.effect.high)
        assert before[0] >= 3


def test_an_explosion_in_float32_is_no_competitor_at_that_loss(answer: Answer) -> None:
    explosions = of(answer, "explosion_in_float32")

    assert len(explosions) == len(ALL)
    assert {replay.verdict for replay in explosions} == {"not_reproduced"}
    assert "up to 64 convolutions" in explosions[0].because


def test_each_place_of_the_skip_stops_training_for_a_reason_of_its_own(answer: Answer) -> None:
    skips = of(answer, "skip_rule")

    assert len({replay.family for replay in skips}) == 3
    for replay in skips:
        assert replay.verdict == "refuted"
        assert replay.effect is not None
        assert replay.effect.before_low > 0
        assert replay.effect.high == 0


def test_skipping_trains_on_only_after_update_and_with_a_threshold_above_the_usual_norm() -> None:
    verdicts = [alone(SkipRule(place), LOGGED, ("skip_above", 1e6)) for place in PLACES]

    assert dict(zip(PLACES, verdicts, strict=True)) == {
        BEFORE_UPDATE: ["refuted"],
        BEFORE_UNSCALE: ["refuted"],
        AFTER_UPDATE: ["confirmed"],
    }


def test_a_longer_search_needs_a_lower_scale() -> None:
    facts = {**LOGGED, "inf_steps": 7, "finite_after": True}
    (same, half, low) = replays(ScalerSearch(), facts, ("lr", 1e-5), ("init_scale", 2.0**12), ("init_scale", 2.0**8))

    assert same.effect is not None
    assert (same.effect.before_low, same.effect.before_high) == (7, 7)
    assert (same.verdict, half.verdict, low.verdict) == ("refuted", "refuted", "confirmed")


@pytest.mark.parametrize(
    "changed",
    [{"inf_steps": 40}, {"inf_steps": 1e12}, {"init_scale": 1.0}, {"dtype": "bf16"}, {"dtype": "float32"}],
    ids=["beyond 16 halvings", "absurdly long", "a scale of 1 already", "bf16", "float32"],
)
def test_what_halving_cannot_explain_is_not_reproduced(changed: dict[str, Fact]) -> None:
    answer = run({**LOGGED, **changed}, ("lr", 1e-5), lab=SMALL)

    (search,) = of(answer, "scaler_search")
    assert search.verdict == "not_reproduced"
    assert search.scenarios.kept == 0
    assert "infinite norms in a row at most" in search.because
    assert answer.predictions == ()


def test_where_the_log_shows_a_skip_rule_the_plain_search_does_not_compete() -> None:
    mechanisms = load("amp-startup").mechanisms({**LOGGED, "skip_above": 10.0})

    assert [mechanism.name for mechanism in mechanisms] == ["skip_rule"] * 3 + ["explosion_in_float32"]


def test_a_skip_before_unscale_explains_infinite_norms_without_end() -> None:
    facts = {**LOGGED, "inf_steps": 20, "skip_above": 10.0}

    assert alone(SkipRule(BEFORE_UNSCALE), facts, ("skip_above", None)) == ["confirmed"]
    assert alone(SkipRule(BEFORE_UPDATE), facts, ("skip_above", None), lab=SMALL) == ["not_reproduced"]
    assert alone(SkipRule(AFTER_UPDATE), facts, ("skip_above", None), lab=SMALL) == ["not_reproduced"]


def test_an_absurd_loss_is_an_explosion_and_no_search() -> None:
    facts = {**LOGGED, "inf_steps": 1, "loss": 1e25, "dtype": "fp32"}

    assert alone(ExplosionInFloat32(), facts, ("init_scale", 256.0)) == ["refuted"]
    assert alone(ScalerSearch(), facts, ("init_scale", 256.0), lab=SMALL) == ["not_reproduced"]


def test_the_prediction_follows_the_search_and_the_law(answer: Answer) -> None:
    by_replay, by_law = answer.predictions
    (search, *_) = of(answer, "scaler_search")

    assert search.effect is not None
    assert by_replay.where == f"one of the batches up to {search.effect.before_high:.0f}"
    assert by_replay.basis == "replay"
    # 65536 = 2^16: batch 16 still has a scale of 1.
    assert by_law.where == "one of the batches up to 17"
    assert by_law.basis == "law"
    assert by_law.rows == Rows(must="any", last_step=17)
    for prediction in answer.predictions:
        assert prediction.metric == "grad_norm"
        assert prediction.high is not None
        assert math.isfinite(prediction.high)


def test_what_to_print_next_quotes_torch(answer: Answer) -> None:
    assert any("get_scale()" in line for line in answer.measure_next)
    assert any("unscale_() has already been called" in line for line in answer.measure_next)


def test_the_same_seed_gives_the_same_answer() -> None:
    first = replays(ScalerSearch(), LOGGED, ("init_scale", 4096.0))
    _search.cache_clear()
    again = replays(ScalerSearch(), LOGGED, ("init_scale", 4096.0))

    assert [replay.effect for replay in again] == [replay.effect for replay in first]


def test_the_number_of_threads_is_given_back() -> None:
    before = torch.get_num_threads()
    run(LOGGED, ("dtype", "bf16"), lab=SMALL)

    assert torch.get_num_threads() == before


@pytest.mark.parametrize("fix", [("dtype", "int8"), ("init_scale", "high"), ("lr", None), ("weight_init", "small")])
def test_a_knob_turned_to_nonsense_is_named(fix: tuple[str, Value]) -> None:
    with pytest.raises(PostmortemError, match=fix[0]):
        alone(ScalerSearch(), LOGGED, fix)
