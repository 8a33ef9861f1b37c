"""Findings to verdicts, on experiments that are there, by executors that lose what they are told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from postmortem import fixes
from postmortem.errors import PostmortemError
from postmortem.lab import laboratory
from postmortem.lab.laboratory import Bench
from postmortem.replay.protocol import Fix, Lost
from postmortem.rules import catalogue
from postmortem.rules.engine import Hit
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.replay.executors import Piece
    from postmortem.replay.protocol import Answer

RULES = {rule.id: rule for rule in catalogue.rules([])[0]}
BOUND = "impossible/normalised-beyond-bound"
EPS = "norm/undersized-eps"
VALUES: dict[str, Any] = {"line": 1, "value": 139264.0, "eps": 1e-5, "scope": "29", "name": "XV", "dtype": "bf16"}
SMALL = lab_of(draws=128)


class Losing:
    """Runs here, and loses the pieces at these places."""

    apart = True

    def __init__(self, *places: int) -> None:
        self.places = places
        self.titles: list[str] = []

    def run(self, pieces: Sequence[Piece]) -> Iterator[Answer | Lost]:
        """What is left."""
        for place, piece in enumerate(pieces):
            self.titles.append(piece.title)
            yield Lost(what=piece.title, because="job 7: TIMEOUT") if place in self.places else piece()


def hit(rule: str = BOUND, **values: object) -> Hit:
    return Hit(RULES[rule], [VALUES | values])


def run(bench: Bench, *hits: Hit, extra: Sequence[Fix] = ()) -> laboratory.Results:
    return laboratory.run(hits, fixes.plan(hits, extra), bench)


def words(results: laboratory.Results) -> dict[tuple[str, object], str]:
    return {(verdict.rule, verdict.fix.new): verdict.verdict for verdict in results.verdicts}


def test_each_seed_has_an_answer_and_they_agree() -> None:
    results = run(Bench(SMALL, seeds=3), hit())
    assert [answer.replays[0].seed for answer in results.answers[BOUND]] == [0, 1, 2]
    assert words(results) == {(BOUND, 1e-3): "refuted", (BOUND, "fp32"): "inconclusive"}
    assert all(verdict.because.endswith("the same with each of 3 seeds") for verdict in results.verdicts)
    assert len(results.replays()) == 3 * 2 * 4  # seeds, fixes, mechanisms


def test_a_prediction_of_several_seeds_reaches_as_far_as_any_of_theirs() -> None:
    kd = hit("kd/temperature-squared", kd_loss=11.42, temperature=6.0, temperature_squared=36.0, scaled=True)
    alone = [run(Bench(lab_of(draws=128, seed=seed)), kd).together for seed in (0, 1)]
    (together,) = run(Bench(lab_of(draws=128), seeds=2), kd).together
    ends = [[(one.low, one.high) for one in answer.predictions] for (answer,) in alone]
    assert ends[0] != ends[1]
    assert [(one.low, one.high) for one in together.predictions] == [
        (min(first[0], second[0]), max(first[1], second[1])) for first, second in zip(*ends, strict=True)
    ]


def test_a_finding_that_shares_the_experiment_shares_its_verdicts() -> None:
    asked = Fix(knob="eps", new=1e-4, origin="user")
    results = run(Bench(SMALL), hit(EPS), hit(), extra=[asked])
    assert results.answers[EPS] == []
    assert words(results)[EPS, 1e-4] == words(results)[BOUND, 1e-4] == "refuted"


def test_a_fix_that_only_a_later_finding_has_is_replayed_with_the_rest() -> None:
    seen = {"start": 3.0, "low": 1.0, "end": 5.0, "step": 10, "last_step": 50, "noise": 0.01, "lr": 1e-3, "warmup": 0}
    results = run(Bench(SMALL), hit("lr/no-warm-up", **seen), hit("loss/divergence", **seen))
    assert [(rule, len(answers)) for rule, answers in results.answers.items()] == [
        ("loss/divergence", 1),
        ("lr/no-warm-up", 0),
    ]
    knobs = {
        rule: {verdict.fix.knob for verdict in results.verdicts if verdict.rule == rule} for rule in results.answers
    }
    assert knobs == {"loss/divergence": {"lr"}, "lr/no-warm-up": {"lr", "warmup"}}


def test_what_is_lost_is_named_and_the_rest_is_judged() -> None:
    executor = Losing(1)
    results = run(Bench(SMALL, seeds=3, executor=executor), hit())
    assert executor.titles == ["normaliser with seed 0", "normaliser with seed 1", "normaliser with seed 2"]
    assert results.lost == [Lost(what="normaliser with seed 1", because="job 7: TIMEOUT")]
    assert words(results)[BOUND, 1e-3] == "refuted"
    assert all("1 of 3 seeds did not come back" in verdict.because for verdict in results.verdicts)


def test_where_all_is_lost_nothing_is_judged_and_the_reason_stands() -> None:
    hits = [hit()]
    plan = fixes.plan(hits, [])
    results = laboratory.run(hits, plan, Bench(SMALL, executor=Losing(0)))
    assert results.verdicts == []
    (first, *_) = fixes.unjudged(plan, results.verdicts, results.failed, "")
    assert (first.verdict, first.because) == ("inconclusive", "not replayed: job 7: TIMEOUT")


def test_where_the_first_finding_brings_nothing_the_next_one_is_asked() -> None:
    results = run(Bench(SMALL, executor=Losing(0)), hit(), hit(EPS))
    assert {rule for rule, _ in words(results)} == set()
    assert [lost.what for lost in results.lost] == ["normaliser with seed 0"] * 2


@pytest.mark.parametrize(("logged", "asked", "family"), [(None, "fp16", "float16"), ("bf16", "fp16", "bfloat16")])
def test_a_dtype_stands_in_where_the_log_names_none(logged: str | None, asked: str, family: str) -> None:
    replays = run(Bench(SMALL, dtype=asked), hit(value=6e4, dtype=logged)).replays()
    assert {replay.family for replay in replays if replay.mechanism == "lost_variance"} == {family}


def test_a_fix_of_the_log_that_makes_no_sense_is_named_and_the_others_judged() -> None:
    odd = Fix(knob="dtype", new="int7", origin="log")
    results = run(Bench(SMALL), hit(), extra=[odd])
    assert "dtype takes one of" in results.failed[BOUND]
    assert words(results)[BOUND, 1e-3] == "refuted"


def test_one_of_the_user_is_refused() -> None:
    with pytest.raises(PostmortemError, match="dtype takes one of"):
        run(Bench(SMALL), hit(), extra=[Fix(knob="dtype", new="int7", origin="user")])
