"""A threshold against norms: what it leaves out, by a formula, and what another one would."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import pytest

from postmortem.replay.mechanisms.norm_series import Drifting, Steady
from tests.replay.verdicts import LAB, each, pooled, run

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

#: By hand: ln(10 / 15) / 0.3 = -1.352, beyond which a normal distribution has 91.2 %.
LOG: dict[str, Fact] = {"usual_norm": 15.0, "skip_above": 10.0, "spread": 0.3, "printed": 300, "share": 0.91}


def test_a_threshold_far_above_the_usual_norm_is_confirmed_and_the_usual_norm_is_refuted() -> None:
    far = run("skip-threshold", LOG, skip_above=500.0)
    assert pooled(far, "rarely-skips") == {"skip_above": "confirmed"}
    assert pooled(far, "still-guards") == {"skip_above": "confirmed"}
    assert pooled(run("skip-threshold", LOG, skip_above=15.0), "rarely-skips") == {"skip_above": "refuted"}


def test_a_threshold_beyond_an_explosion_guards_nothing() -> None:
    # 100 * 15 = 1,500
    answer = run("skip-threshold", LOG, skip_above=1e4)
    assert pooled(answer, "still-guards") == {"skip_above": "refuted"}


def test_norms_that_rise_with_every_update_pass_a_threshold_that_steady_ones_keep() -> None:
    said = each(run("skip-threshold", LOG, skip_above=40.0), "rarely-skips")
    assert said["steady_norms", "log-normal"] == "confirmed"
    assert said["drifting_norms", "falling"] == "confirmed"
    assert said["drifting_norms", "rising"] == "inconclusive"


def test_few_norms_leave_a_threshold_open_that_many_confirm() -> None:
    # 40 is 2.5 spreads of 0.4 above 15, if that is what the spread is: of 3 norms it may be 3 times as large
    facts: dict[str, Fact] = {**LOG, "spread": 0.4, "share": None}
    said = [
        each(run("skip-threshold", {**facts, "printed": printed}, skip_above=40.0), "rarely-skips")
        for printed in (3, 300)
    ]
    assert [verdicts["steady_norms", "log-normal"] for verdicts in said] == ["inconclusive", "confirmed"]


def test_the_share_is_that_of_the_normal_distribution() -> None:
    mechanism = Steady(heavy=False)
    scenario = mechanism.drawn({**LOG, "share": None}, LAB)
    skipped = mechanism.observe(scenario, {"skip_above": 20.0})["skipped"]
    expected = 1 - NormalDist(math.log(15), 0.3).cdf(math.log(20))
    assert expected == pytest.approx(0.169, abs=1e-3)
    # of each run 256 norms, and a median and a spread of 256: a share is uncertain by some 0.04, their mean by 0.002
    assert float(skipped.mean()) == pytest.approx(expected, abs=0.01)


def test_a_batch_that_is_left_out_moves_nothing() -> None:
    # by hand, two batches above a threshold of 0: with nothing used the level stays, whatever the drift
    mechanism = Drifting(1)
    scenario = mechanism.drawn({**LOG, "share": None}, LAB)
    none, every = (mechanism.observe(scenario, {"skip_above": at})["median"] for at in (0.0, 1e30))
    steady = (scenario.level.unsqueeze(-1) + scenario.spread.unsqueeze(-1) * scenario.noise).exp().median(-1).values
    assert none.tolist() == pytest.approx(steady.tolist())
    assert bool((every > none).all())


def test_the_share_of_each_new_threshold_is_predicted() -> None:
    (prediction,) = run("skip-threshold", LOG, skip_above=500.0).predictions
    assert prediction.metric == "skipped_share"
    assert prediction.was == 0.91
    assert prediction.fix is not None
    assert (prediction.low, prediction.where) == (0.0, "all batches with a finite norm")
    assert prediction.high is not None
    assert prediction.high <= 0.05


@pytest.mark.parametrize(
    ("facts", "lacks"),
    [
        ({}, "no finite usual gradient norm above 0 and no threshold"),
        ({"usual_norm": math.nan, "skip_above": 1.0}, "no finite usual gradient norm"),
        ({"usual_norm": 1.0}, "no threshold"),
    ],
)
def test_what_is_missing_is_said(facts: dict[str, Fact], lacks: str) -> None:
    replays = run("skip-threshold", facts, skip_above=500.0).replays
    assert {replay.verdict for replay in replays} == {"inconclusive"}
    assert all(lacks in replay.because for replay in replays)
