"""The distillation experiment against the law of each limit, and the logged numbers it has to show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.experiments import kd_temperature as module
from postmortem.replay.experiments import load
from postmortem.replay.judge import pool
from postmortem.replay.mechanisms import distillation
from postmortem.replay.mechanisms.logits import FAMILIES
from postmortem.replay.protocol import Answer, Fix, Lab, Replay, Rows
from postmortem.replay.stream import Stream
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.experiment import Experiment
    from postmortem.replay.protocol import Fact

KD, GRADIENT, EQUAL = (claim.text for claim in module.KdTemperature.claims)


class Only(module.KdTemperature):
    """The experiment with one of its mechanisms."""

    def __init__(self, kind: type[distillation.Distillation], family: str) -> None:
        self.only = kind(next(one for one in FAMILIES if one.name == family))

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[distillation.Distillation]:  # noqa: ARG002
        """That one."""
        return [self.only]


def run(experiment: Experiment, old: float | None, new: float | str, **facts: Fact) -> Answer:
    fix = Fix.model_validate({"knob": "temperature", "from": old, "to": new})
    return experiment.run("kd/temperature-squared", {"temperature": old, **facts}, [fix], lab_of())


def only(kind: type[distillation.Distillation], family: str, old: float, new: float, kd: float) -> list[Replay]:
    # A small vocabulary: the limits below hold for any.
    return list(run(Only(kind, family), old, new, kd_loss=kd, vocab=4096.0).replays)


@pytest.fixture(scope="module")
def answer() -> Answer:
    return run(load("kd-temperature"), 3.0, 2.0, kd_loss=38.03, total_loss=28.19, kd_weight_low=0.5, kd_weight_high=0.7)


def test_no_family_follows_t_squared_at_a_large_loss(answer: Answer) -> None:
    # two claims, and three ways to reduce and to soften
    assert len(answer.replays) == 2 * 3 * len(FAMILIES)
    assert {verdict.claim for verdict in pool(answer.replays)} == {KD, GRADIENT}
    assert all(verdict.verdict != "confirmed" for verdict in pool(answer.replays))
    assert not [replay for replay in answer.replays if replay.verdict == "confirmed"]
    judged = {replay.family for replay in answer.replays if replay.verdict == "refuted"}
    assert judged >= {"Gaussian logits", "outstanding logits", "flat student, truncated teacher"}


def test_what_is_kept_shows_the_logged_loss(answer: Answer) -> None:
    effects = [r.effect for r in answer.replays if r.claim == KD and r.effect is not None]
    assert effects
    for effect in effects:
        assert effect.before_low == pytest.approx(38.03, rel=distillation.MET)
        assert effect.before_high == pytest.approx(38.03, rel=distillation.MET)


def test_a_flat_student_cannot_fall_below_t_squared(answer: Answer) -> None:
    # KL to a flat student falls as T rises, so that T^2 * KL at 2 is at least 4/9 of that at 3, up to the
    # tenth of its teacher's width by which the student is not flat; and KL is at most ln V.
    effects = [
        r.effect
        for r in answer.replays
        if r.family is not None
        and r.family.startswith("flat student")
        and r.mechanism == "token_mean"
        and r.claim == KD
        and r.effect is not None
    ]
    assert len(effects) == 2
    for effect in effects:
        assert effect.low >= 0.98 * 38.03 * 4 / 9
        assert effect.high <= 1.05 * 4 * math.log(49152)


def test_the_prediction_spans_all_families(answer: Answer) -> None:
    kd, total = answer.predictions
    effects = [r.effect for r in answer.replays if r.claim == KD and r.effect is not None]
    assert kd.metric == "kd_loss"
    assert (kd.rows, kd.was, total.was) == (Rows(must="first"), 38.03, 28.19)
    assert kd.fix is not None
    assert kd.fix.new == 2.0
    assert kd.low == min(effect.low for effect in effects)
    assert kd.high == max(effect.high for effect in effects)
    assert kd.low is not None
    assert kd.high is not None
    # The total moves by the weight times the change of KD: most at the larger weight, to either side.
    assert total.metric == "loss"
    assert total.low == pytest.approx(28.19 + 0.7 * (kd.low - 38.03))
    assert total.high == pytest.approx(28.19 + 0.7 * (kd.high - 38.03))


def test_logits_and_log_agree_by_torchs_own_divergence() -> None:
    mechanism = distillation.TokenMean(FAMILIES[0])
    facts: dict[str, Fact] = {"temperature": 4.0, "kd_loss": 6.0, "vocab": 2048.0}
    scenario = mechanism.draw(facts, Lab(draws=8), Stream(1))
    for student, teacher in scenario.logits:
        theirs = 16 * functional.kl_div((student / 4).log_softmax(-1), (teacher / 4).softmax(-1), reduction="none").sum(
            -1
        )
        assert theirs.tolist() == pytest.approx([6.0] * len(theirs), rel=distillation.MET)


def test_how_many_parts_a_device_works_in_changes_no_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = next(family for family in FAMILIES if family.settled)
    facts: dict[str, Fact] = {"temperature": 4.0, "kd_loss": 6.0, "vocab": 1024.0}
    drawn = []
    for part in (3 * 1024, 1 << 25):
        monkeypatch.setattr(distillation, "PART", part)
        scenario = distillation.TokenMean(settled).draw(facts, Lab(draws=8), Stream(1))
        drawn.append((len(scenario.logits), torch.cat([student for student, _ in scenario.logits])))
    (many, apart), (few, together) = drawn
    assert many > few == 1
    assert torch.equal(apart, together)


@pytest.mark.parametrize(("old", "new"), [(10.0, 4.0), (4.0, 2.0)])
def test_a_small_loss_hardly_moves_with_t(old: float, new: float) -> None:
    # For logits that differ little, KL = variance / (2 T^2): T^2 * KL, and its gradient, do not depend on T.
    kd, gradient = only(distillation.TokenMean, "Gaussian logits", old, new, 0.03)
    assert {kd.verdict, gradient.verdict} == {"refuted"}
    for replay in (kd, gradient):
        assert replay.effect is not None
        assert replay.effect.median == pytest.approx(replay.effect.before_median, rel=0.02)


def test_settled_pairs_fall_faster_than_t_squared() -> None:
    # Both sure of one token: what is left of KL is exponentially small in 1 / T.
    kd, _ = only(distillation.TokenMean, "agreement on the top token", 4.0, 2.0, 0.3)
    assert kd.effect is not None
    assert kd.effect.low < 0.3 / 4


def test_a_loss_out_of_reach_is_not_reproduced() -> None:
    # KL to a flat student is at most ln 4096 = 8.3, far below 38 at T = 1.
    for replay in only(distillation.TokenMean, "flat student, confident teacher", 1.0, 2.0, 38.0):
        assert replay.verdict == "not_reproduced"
        assert "never 38" in replay.because


def test_a_truncated_teacher_is_not_reproduced_below_its_floor() -> None:
    # Half the vocabulary at most: T^2 ln 2 = 6.2 at T = 3.
    for replay in only(distillation.TokenMean, "flat student, truncated teacher", 3.0, 2.0, 0.3):
        assert replay.verdict == "not_reproduced"


def test_by_t_squared_is_told_from_one_power_of_t() -> None:
    holds = module.KdTemperature.claims[0].holds
    fix = Fix.model_validate({"knob": "temperature", "from": 3.0, "to": 2.0})
    temperature = {"temperature": torch.tensor([3.0, 3.0, 3.0])}
    before = {"kd_loss": torch.tensor([9.0, 9.0, 9.0]), **temperature}
    after = {"kd_loss": torch.tensor([4.0, 6.0, 9.0]), "temperature": torch.tensor([2.0, 2.0, 2.0])}
    assert holds(before, after, {}, fix).tolist() == [True, False, False]


def test_without_the_factor_the_loss_rises_as_t_falls() -> None:
    facts: dict[str, Fact] = {"kd_loss": 0.003, "vocab": 4096.0, "scaled": False}
    kd, _ = run(Only(distillation.TokenMean, "Gaussian logits"), 3.0, 2.0, **facts).replays
    assert kd.effect is not None
    # KL = variance / (2 T^2) alone: 9/4 of it at T = 2.
    assert kd.effect.median == pytest.approx(0.003 * 9 / 4, rel=0.02)


def test_without_a_logged_loss_nothing_is_predicted() -> None:
    answer = run(Only(distillation.TokenMean, "Gaussian logits"), None, 2.0, vocab=1024.0)
    assert answer.predictions == ()
    assert all(replay.effect is not None for replay in answer.replays)


@pytest.mark.parametrize("bad", ["warm", 0.0, -1.0, math.inf])
def test_a_temperature_has_to_be_positive(bad: float | str) -> None:
    with pytest.raises(PostmortemError, match="temperature takes a number"):
        run(Only(distillation.TokenMean, "Gaussian logits"), 3.0, bad, kd_loss=6.0, vocab=256.0)


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second = (only(distillation.BatchMean, "heavy-tailed logits", 3.0, 2.0, 38.0) for _ in range(2))
    assert [r.effect for r in first] == [r.effect for r in second]


def test_a_student_alone_softened_is_cured_by_softening_both() -> None:
    fix = Fix.model_validate({"knob": "sides", "from": "student", "to": "both"})
    facts: dict[str, Fact] = {"temperature": 3.0, "kd_loss": 6.0, "vocab": 2048.0, "sides": "student"}
    answer = load("kd-temperature").run("rule", facts, [fix], lab_of())
    assert {r.mechanism for r in answer.replays} == {"student_alone"}
    wide = next(r for r in answer.replays if r.family == "Gaussian logits")
    assert (wide.claim, wide.verdict) == (EQUAL, "confirmed")
    assert wide.effect is not None
    assert wide.effect.before_low > 0.1
    assert wide.effect.high == 0.0


def test_where_both_are_softened_already_softening_both_is_no_fix() -> None:
    fix = Fix.model_validate({"knob": "sides", "from": None, "to": "both"})
    facts: dict[str, Fact] = {"temperature": 3.0, "kd_loss": 6.0, "vocab": 2048.0, "sides": "both"}
    replays = load("kd-temperature").run("rule", facts, [fix], lab_of()).replays
    assert {r.mechanism for r in replays} == {"token_mean", "batchmean"}
    assert "confirmed" not in {r.verdict for r in replays}
    student = Fix.model_validate({"knob": "sides", "from": None, "to": "student"})
    worse = load("kd-temperature").run("rule", facts, [student], lab_of()).replays
    assert next(r for r in worse if (r.mechanism, r.family) == ("token_mean", "Gaussian logits")).verdict == "refuted"


def test_one_sided_logits_show_the_logged_loss_by_torchs_own_divergence() -> None:
    mechanism = distillation.StudentAlone(FAMILIES[0])
    facts: dict[str, Fact] = {"temperature": 4.0, "kd_loss": 20.0, "vocab": 2048.0}
    scenario = mechanism.draw(facts, Lab(draws=8), Stream(1))
    kept = mechanism.reproduces(mechanism.observe(scenario, {}), facts)
    assert bool(kept.any())
    theirs = torch.cat([
        16 * functional.kl_div((student / 4).log_softmax(-1), teacher.softmax(-1), reduction="none").sum(-1)
        for student, teacher in scenario.logits
    ])  # fmt: skip
    assert theirs[kept].tolist() == pytest.approx([20.0] * int(kept.sum()), rel=distillation.MET)


def test_sides_are_named() -> None:
    with pytest.raises(PostmortemError, match="sides takes both or student"):
        load("kd-temperature").run("rule", {"kd_loss": 6.0}, [Fix(knob="sides", new="teacher")], lab_of())
