"""A step whose quantities are known: y is knob times a draw from the seed, so that verdicts follow by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.lab.laboratory import Bench
from postmortem.lab.steps import replay_step
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.lab.replayed import Replayed

STEPS = """
import random

def scaled(knobs, seed):
    return {"y": knobs["k"] * random.Random(seed).uniform(1, 2), "seed": seed}

def same(knobs, seed):
    return {"y": knobs["k"]}

def breaks(knobs, seed):
    if knobs["k"] > 5:
        raise RuntimeError("out of range")
    return {"y": knobs["k"] + seed}

def renamed(knobs, seed):
    return {f"y{seed % 2}": 1.0}

def worded(knobs, seed):
    return {"y": seed + (100 if knobs["mode"] == "wild" else 0)}
"""
BENCH = Bench(lab_of(draws=100))


@pytest.fixture(autouse=True)
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_steps.py").write_text(STEPS)
    monkeypatch.chdir(tmp_path)


def run(name: str, *knobs: str, expect: str, shows: tuple[str, ...] = (), bench: Bench = BENCH) -> Replayed:
    return replay_step(f"own_steps:{name}", bench, knobs=knobs, expects=[expect], shows=shows)


def test_a_fix_that_does_what_is_said_is_confirmed_and_one_that_does_not_refuted() -> None:
    replayed = run("scaled", "k=10,1,9", expect="y < 5")
    # 10 times at least 1 is never below 5, 1 times at most 2 always, 9 times at least 1 never
    assert [(v.fix.new, v.verdict) for v in replayed.verdicts] == [(1.0, "confirmed"), (9.0, "refuted")]
    assert replayed.environment.replay == "ran"
    assert [replay.scenarios.kept for replay in replayed.replays] == [100, 100]
    effect = replayed.replays[0].effect
    assert effect is not None
    # the same seed before and after: a tenth of it, at the median too
    assert effect.median == pytest.approx(effect.before_median / 10)
    assert 1 <= effect.low <= effect.high <= 2


def test_a_relative_claim_compares_the_same_seed() -> None:
    replayed = run("scaled", "k=10,5,4.9", expect="y decreases by 2x")
    assert [v.verdict for v in replayed.verdicts] == ["confirmed", "confirmed"]
    assert run("scaled", "k=10,5.1", expect="y decreases by 2x").verdicts[0].verdict == "refuted"


def test_what_held_before_credits_no_fix() -> None:
    (verdict,) = run("scaled", "k=1,0.5", expect="y < 5").verdicts
    assert verdict.verdict == "inconclusive"


def test_seeds_that_do_not_show_the_symptom_are_left_out() -> None:
    (replay,) = run("scaled", "k=10,1", expect="y < 5", shows=("seed >= 30",)).replays
    assert (replay.scenarios.drawn, replay.scenarios.kept) == (100, 70)
    (replay,) = run("scaled", "k=10,1", expect="y < 5", shows=("seed >= 37",)).replays
    assert (replay.scenarios.kept, replay.verdict) == (63, "inconclusive")


def test_the_first_seed_is_the_labs() -> None:
    (replay,) = run(
        "scaled", "k=10,1", expect="y < 5", shows=("seed >= 30",), bench=Bench(lab_of(draws=100, seed=30))
    ).replays
    assert replay.scenarios.kept == 100


def test_seeds_that_measure_the_same_are_one_scenario() -> None:
    replayed = run("same", "k=10,1", expect="y < 5")
    assert replayed.verdicts[0].verdict == "inconclusive"
    assert replayed.replays[0].scenarios.kept == 1
    assert replayed.replays[0].needs == "100 seeds measure only 1 different things: use the seed"


def test_a_knob_may_be_a_word() -> None:
    (verdict,) = run("worded", "mode=wild,tame", expect="y decreases").verdicts
    assert (verdict.fix.old, verdict.fix.new, verdict.verdict) == ("wild", "tame", "confirmed")


def test_knobs_are_turned_one_at_a_time() -> None:
    replayed = run("scaled", "k=10,1", "unused=1,2,3", expect="y < 5")
    assert [(v.fix.knob, v.verdict) for v in replayed.verdicts] == [
        ("k", "confirmed"),
        ("unused", "refuted"),
        ("unused", "refuted"),
    ]


def test_a_knob_with_which_it_fails_is_inconclusive_and_the_others_are_judged() -> None:
    replayed = run("breaks", "k=5,6,-1000", expect="y < 0")
    assert [(v.fix.new, v.verdict) for v in replayed.verdicts] == [(-1000.0, "confirmed"), (6.0, "inconclusive")]
    assert replayed.failed == ["own_steps:breaks with k=6.0, seed 0: raised RuntimeError: out of range"]
    assert replayed.verdicts[1].because == replayed.failed[0]


@pytest.mark.parametrize(
    ("name", "knobs", "expect", "reason"),
    [
        ("breaks", ["k=6,1"], "y < 0", "k=6.0, seed 0: raised RuntimeError: out of range"),
        ("renamed", ["k=6,1"], "y0 < 0", "other quantities with another seed"),
        ("scaled", ["k=6,1"], "z < 0", "measures no z; it measures y, seed"),
        ("scaled", ["k=6"], "y < 0", "a knob to turn and a claim"),
        ("scaled", ["k"], "y < 0", "write NAME=AS_IT_IS,OTHER"),
        ("scaled", ["k=1,,2"], "y < 0", "write NAME=AS_IT_IS,OTHER"),
        ("scaled", ["k=1,2", "k=3"], "y < 0", "k has its values already"),
        ("sca led", ["k=1,2"], "y < 0", "write package.module:function"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(name: str, knobs: list[str], expect: str, reason: str) -> None:
    with pytest.raises(PostmortemError, match=reason):
        run(name, *knobs, expect=expect)


def test_a_symptom_is_absolute() -> None:
    with pytest.raises(PostmortemError, match="--shows 'y decreases'"):
        run("scaled", "k=1,2", expect="y < 1", shows=("y decreases",))


def test_a_confirmed_fix_predicts_the_interval_of_its_effect() -> None:
    replayed = run("scaled", "k=10,1,9", expect="y < 5")
    (prediction,) = replayed.predictions
    effect = replayed.replays[0].effect
    assert effect is not None
    assert (prediction.metric, prediction.low, prediction.high) == ("y", effect.low, effect.high)
    assert prediction.fix == replayed.verdicts[0].fix
