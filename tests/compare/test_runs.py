"""Runs beside each other: the model case of two jobs, and pairs of recorded twins."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postmortem.compare.runs import compare
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from postmortem.compare.comparison import Comparison, Pair

LOGS = Path(__file__).parents[2] / "sample_logs"


@cache
def comparison(*names: str, stated: tuple[str, ...] = ()) -> Comparison:
    return compare([str(LOGS / f"{name}.log") for name in names], stated=stated).comparison


def pair(*names: str, stated: tuple[str, ...] = ()) -> Pair:
    (found,) = comparison(*names, stated=stated).pairs
    return found


def words(found: Pair) -> dict[str, str]:
    return {each.rule: each.change for each in found.findings}


def test_a_larger_eps_acted_and_did_not_cure() -> None:
    found = pair("job-7204315", "job-7204342", stated=("eps=1e-8:1e-5",))
    (change,) = found.changes
    assert (change.verdict, change.moved) == ("acted", ["largest |XV|"])
    assert words(found)["impossible/normalised-beyond-bound"] == "stayed"
    (reach,) = found.reaches
    # 27262976 / 139264, 27787264 / 95232, 27656192 / 75264
    assert [scope.before / scope.after for scope in reach.scopes] == pytest.approx(
        [195.765, 291.785, 367.456], abs=1e-3
    )
    # (1e-5 - r 1e-8) / (r - 1) at r = 195.765 and r = 367.456
    assert any("the std is 1.73e-8 to 4.13e-8" in line for line in change.because)


def test_the_first_log_states_no_eps_and_that_is_said() -> None:
    found = pair("job-7204315", "job-7204342", stated=("eps=1e-8:1e-5",))
    assert found.changes[0].because[0] == "the first log does not state eps"
    assert [(each.key, each.before, each.after) for each in found.settings] == [("eps", None, "1e-5")]


def test_a_change_that_the_logs_contradict() -> None:
    found = pair("normaliser-self-divided", "normaliser-healthy", stated=("eps=1e-5:1e-3",))
    assert found.changes[0].verdict == "contradicted"
    assert words(found)["impossible/normalised-beyond-bound"] == "went"
    # the name of the job is no cause
    assert "None of the 6 settings differs" in found.summary[0]


def test_a_finding_whose_rule_cannot_be_checked_has_not_gone() -> None:
    found = pair("normaliser-self-divided", "normaliser-healthy", stated=("eps=1e-5:1e-3",))
    assert words(found)["grad/spike-recovered"] == "not_checked"


def test_a_temperature_moves_what_it_must_and_rescales_it() -> None:
    found = pair("distill-t6", "distill-t2", stated=("temperature=6:2",))
    assert found.changes[0].verdict == "acted"
    loss = next(each for each in found.partings if each.metric == "loss" and each.split is None)
    assert loss.parts is True
    assert "temperature differs" in loss.not_alike
    rate = next(each for each in found.partings if each.metric == "lr")
    assert (rate.parts, rate.identical, rate.shared) == (False, 61, 61)


def test_a_run_beside_itself_differs_in_nothing() -> None:
    found = pair("ctc-fp32", "ctc-fp32", stated=("lr=0.001:0.01",))
    assert found.settings == []
    assert not any(each.parts for each in found.partings)
    assert set(words(found).values()) == {"stayed"}
    assert found.changes[0].verdict == "contradicted"


def test_each_further_run_is_held_against_the_first() -> None:
    found = comparison("ctc-fp32", "ctc-fp16", "ctc-fp32")
    assert [(each.before, each.after) for each in found.pairs] == [(0, 1), (0, 2)]
    assert words(found.pairs[0])["amp/scaler-startup"] == "came"
    assert len(found.sides) == 3


def test_one_log_cannot_be_compared() -> None:
    with pytest.raises(PostmortemError, match="name two or more"):
        compare(["a.log"])
