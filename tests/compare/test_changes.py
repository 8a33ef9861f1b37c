"""A stated change: acted, not connected, confounded, contradicted, or not established; and the law of two points."""

from __future__ import annotations

import pytest

from postmortem import fixes, knobs
from postmortem.compare import changes
from postmortem.compare.comparison import Parting, Reach, ScopeReach, SettingChange, StatedChange


def parting(metric: str, *, parts: bool | None) -> Parting:
    return Parting(metric=metric, split=None, aligned_by="step", shared=9, identical=0, parts=parts, because="made up")


def reach(*pairs: tuple[float, float], moved: bool = True) -> Reach:
    scopes = [ScopeReach(scope=str(place), before=one, after=other) for place, (one, other) in enumerate(pairs)]
    return Reach(
        tensor="XV", op="normalise", scopes=scopes, factor=1, factor_low=None, factor_high=None, moved=moved,
        because="made up",
    )  # fmt: skip


def setting(key: str, before: str | None, after: str | None, *, cause: bool = True) -> SettingChange:
    return SettingChange(key=key, before=before, after=after, before_line=1, after_line=1, cause=cause)


def judged(
    option: str,
    *partings: Parting,
    stated: tuple[str | None, str | None] = (None, None),
    settings: tuple[SettingChange, ...] = (),
    reaches: tuple[Reach, ...] = (),
) -> StatedChange:
    return changes.judge(fixes.parse(option), stated, settings, partings, reaches)


def test_what_moved_with_nothing_beside_it_was_acted_on() -> None:
    found = judged("temperature=3:2", parting("kd_loss", parts=True), parting("loss", parts=True))
    assert (found.verdict, found.should_move, found.moved) == ("acted", ["kd_loss"], ["kd_loss"])


def test_what_must_move_and_stayed_shows_a_knob_that_is_not_connected() -> None:
    found = judged("lr=1e-3:1e-4", parting("lr", parts=False), parting("loss", parts=True), stated=("1e-3", "1e-4"))
    assert (found.verdict, found.moved) == ("not_connected", [])


def test_another_change_confounds() -> None:
    other = setting("weight_decay", "0.1", "0.01")
    found = judged("temperature=3:2", parting("kd_loss", parts=True), settings=(other,))
    assert (found.verdict, found.others) == ("confounded", ["weight_decay 0.1 -> 0.01"])


def test_the_name_of_a_job_confounds_nothing_and_a_setting_of_one_log_is_named() -> None:
    beside = (
        setting("slurm_job_name", "a", "b", cause=False),
        setting("seed", None, "1"),
        setting("temperature", "3", "2"),
    )
    found = judged("temperature=3:2", parting("kd_loss", parts=True), settings=beside)
    assert (found.verdict, found.others) == ("acted", [])
    assert "only one log states seed: whether it changed too is not known" in found.because


@pytest.mark.parametrize("stated", [("3.0", "3.0"), ("4.0", "2.0")])
def test_a_log_that_states_another_value_contradicts(stated: tuple[str, str]) -> None:
    assert judged("temperature=3:2", parting("kd_loss", parts=True), stated=stated).verdict == "contradicted"


def test_other_spellings_of_a_value_contradict_nothing() -> None:
    found = judged("dtype=bf16:fp32", parting("grad_norm", parts=True), stated=("torch.bfloat16", "float32"))
    assert found.verdict == "acted"


@pytest.mark.parametrize("option", ["temperature=3:2", "unheard_of=1:2"])
def test_without_what_it_moves_nothing_is_established(option: str) -> None:
    found = judged(option, parting("loss", parts=True))
    assert (found.verdict, found.should_move) == ("not_established", [])
    assert found.because[-1].startswith("both logs would have to print")


def test_too_few_values_establish_nothing() -> None:
    assert judged("temperature=3:2", parting("kd_loss", parts=None)).verdict == "not_established"


def test_two_points_and_a_law_give_the_std() -> None:
    # factor 100: std = (1e-5 - 100 * 1e-8) / 99 = 9.09e-8; z = 1e6 * (9.09e-8 + 1e-8) / 9.09e-8 = 1.11e6, n = 1.23e12
    found = judged("eps=1e-8:1e-5", reaches=(reach((1e6, 1e4)),))
    law = next(line for line in found.because if "added to the std" in line)
    assert "the std is 9.09e-8," in law
    assert "at least 1.2e12 numbers" in law
    # under the root, 1e-5 over 1e-8 moves by sqrt(1000) = 31.6 at most
    assert any("under the root moves it by 31.6 times at most" in line for line in found.because)


def test_a_factor_that_both_places_allow_rules_out_neither() -> None:
    found = judged("eps=1e-8:1e-5", reaches=(reach((100.0, 10.0)),))
    assert not any("under the root" in line for line in found.because)


@pytest.mark.parametrize("after", [2e6, 5e2])
def test_what_eps_cannot_do_is_said(after: float) -> None:
    # a larger eps cannot raise the output, nor lower it by 2,000 when it grew by 1,000
    found = judged("eps=1e-8:1e-5", reaches=(reach((1e6, after)),))
    assert any("eps is not all that changed" in line for line in found.because)


def test_every_knob_names_what_it_moves() -> None:
    known = knobs.load()
    assert all(moves.metrics or moves.tensors for moves in known.moves.values())
    assert "eps" in known.moves
    assert "slurm_job_name" in known.names
