"""Intervals against the binomial sum, words at their limits, and pooling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from postmortem.replay import judge
from postmortem.replay.protocol import Fix, Replay, Scenarios, Verdict

if TYPE_CHECKING:
    from postmortem.rules.finding import VerdictWord


def binomial(successes: range, trials: int, p: float) -> float:
    """P(X in successes) for X ~ B(trials, p), term by term."""
    return sum(math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in successes)


@pytest.mark.parametrize(("held", "kept"), [(1, 10), (7, 64), (60, 64), (64, 128)])
def test_the_ends_of_the_interval_leave_one_fortieth_in_each_tail(held: int, kept: int) -> None:
    low, high = judge.clopper_pearson(held, kept)
    assert low < held / kept < high
    assert binomial(range(held, kept + 1), kept, low) == pytest.approx(0.025)
    assert binomial(range(held + 1), kept, high) == pytest.approx(0.025)


def test_none_and_all() -> None:
    # (1 - p)^64 = 0.025 gives p = 1 - 0.025^(1/64) = 0.0560
    assert judge.clopper_pearson(0, 64) == pytest.approx((0.0, 1 - 0.025 ** (1 / 64)))
    assert judge.clopper_pearson(64, 64) == pytest.approx((0.025 ** (1 / 64), 1.0))


def test_another_level() -> None:
    # with no success of one, (1 - p) = 0.05 at 90 %
    assert judge.clopper_pearson(0, 1, level=0.9) == pytest.approx((0.0, 0.95))


@pytest.mark.parametrize(
    ("share", "kept", "expected"),
    [
        (0.91, 64, "confirmed"),
        (0.9, 64, "inconclusive"),
        (0.1, 64, "inconclusive"),
        (0.09, 64, "refuted"),
        (1.0, 63, "inconclusive"),
        (0.0, 63, "inconclusive"),
    ],
)
def test_words(share: float, kept: int, expected: VerdictWord) -> None:
    assert judge.word(share, kept) == expected


def replay(
    verdict: VerdictWord, *, rule: str = "a/b", to: float = 1e-3, mechanism: str = "m", share: float | None = None
) -> Replay:
    return Replay(
        experiment="e",
        mechanism=mechanism,
        rule=rule,
        fix=Fix(knob="eps", new=to),
        claim="c",
        verdict=verdict,
        share=share,
        effect=None,
        scenarios=Scenarios(drawn=64, kept=64),
        device="cpu",
        dtype="float32",
        seed=0,
        seconds=0.0,
        because="why",
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["refuted", "refuted"], "refuted"),
        (["refuted", "not_reproduced"], "refuted"),
        (["refuted", "confirmed"], "inconclusive"),
        (["confirmed", "inconclusive"], "inconclusive"),
        (["not_reproduced", "not_reproduced"], "not_reproduced"),
    ],
)
def test_mechanisms_are_pooled_where_they_agree(words: list[VerdictWord], expected: VerdictWord) -> None:
    (verdict,) = judge.pool([replay(word) for word in words])
    assert verdict.verdict == expected
    assert verdict.basis == "replay"


def test_each_rule_and_each_fix_has_its_own_verdict() -> None:
    replays = [replay("refuted"), replay("confirmed", to=1e-4), replay("confirmed", rule="c/d"), replay("refuted")]
    assert [(v.rule, v.fix.new, v.verdict) for v in judge.pool(replays)] == [
        ("a/b", 1e-3, "refuted"),
        ("a/b", 1e-4, "confirmed"),
        ("c/d", 1e-3, "confirmed"),
    ]


def test_the_reason_names_every_mechanism_with_its_share() -> None:
    (verdict,) = judge.pool(
        [
            replay("not_reproduced", mechanism="small_std"),
            replay("refuted", mechanism="other", share=0.04),
            replay("inconclusive", mechanism="third"),
        ]
    )
    for text in ("small std: cannot show", "other: holds in 4%", "third: too few"):
        assert text in verdict.because


def test_nothing_replayed_is_nothing_judged() -> None:
    assert judge.pool([]) == []


def verdicts(*words: VerdictWord) -> dict[int, list[Verdict]]:
    """By seed, from 0 on, the verdict on one fix."""
    return {seed: judge.pool([replay(word)]) for seed, word in enumerate(words)}


def test_seeds_that_agree_are_one_verdict() -> None:
    (verdict,) = judge.across(verdicts("refuted", "refuted", "refuted"))
    assert verdict.verdict == "refuted"
    assert verdict.because.endswith("; the same with each of 3 seeds")


def test_a_verdict_that_hangs_on_the_seed_is_inconclusive() -> None:
    (verdict,) = judge.across(verdicts("refuted", "confirmed", "refuted"))
    assert verdict.verdict == "inconclusive"
    assert verdict.because == "hangs on the seed: refuted with 0, 2; confirmed with 1"


def test_one_seed_is_as_it_is() -> None:
    assert judge.across(verdicts("confirmed")) == judge.pool([replay("confirmed")])


def test_each_fix_is_held_against_itself() -> None:
    pooled = {seed: judge.pool([replay("refuted"), replay("confirmed", to=1e-4)]) for seed in (0, 1)}
    assert [(v.fix.new, v.verdict) for v in judge.across(pooled)] == [(1e-3, "refuted"), (1e-4, "confirmed")]
