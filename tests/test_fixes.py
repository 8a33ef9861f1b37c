"""Fixes: from options, from lines of a log, from rules; and what laws say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem import analyze, fixes
from postmortem.errors import PostmortemError
from postmortem.reading import read
from postmortem.replay.protocol import Fix
from postmortem.rules import rule as rule_files
from postmortem.rules.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.rules.engine import Hit

BEYOND = "eps = 1e-5\nLayer 3: XV output: min=-2500, max=40960\n"


def hits(tmp_path: Path, text: str) -> tuple[list[Hit], list[Fix]]:
    path = tmp_path / "x.log"
    path.write_text(text)
    run = read(str(path))
    rules, _ = rule_files.load_folder(rule_files.SHIPPED)
    return Engine(run).run(rules).hits, fixes.proposed(run.events)


@pytest.mark.parametrize(
    ("option", "fix"),
    [
        ("eps=1e-5:1e-3", Fix(knob="eps", old=1e-5, new=1e-3, origin="user")),
        ("layer_norm_eps=1e-3", Fix(knob="eps", old=None, new=1e-3, origin="user")),
        ("dtype=float16:torch.bfloat16", Fix(knob="dtype", old="fp16", new="bf16", origin="user")),
        ("max_grad_norm=1:0.5", Fix(knob="max_norm", old=1.0, new=0.5, origin="user")),
    ],
)
def test_an_option_is_a_fix(option: str, fix: Fix) -> None:
    assert fixes.parse(option) == fix


@pytest.mark.parametrize("option", ["eps", "eps=", "=1", "eps=1:2:3", "eps=:1", "eps=1:", "e ps=1"])
def test_any_other_option_is_refused_in_one_line(option: str) -> None:
    with pytest.raises(PostmortemError, match="eps=1e-5:1e-3") as caught:
        fixes.parse(option)
    assert "\n" not in str(caught.value)


def test_a_line_of_the_log_proposes_a_fix(tmp_path: Path) -> None:
    _, proposed = hits(tmp_path, BEYOND + "# proposed: eps 1e-5 -> 1e-4\n# proposed: skip_above -> 10\n")
    assert proposed == [
        Fix(knob="eps", old=1e-5, new=1e-4, origin="log"),
        Fix(knob="skip_above", old=None, new=10.0, origin="log"),
    ]


def test_a_fix_that_two_sources_name_is_judged_once_and_takes_the_logged_value(tmp_path: Path) -> None:
    found, _ = hits(tmp_path, BEYOND)
    plan = fixes.plan(found, [Fix(knob="eps", new=1e-3, origin="user")])
    eps = [fix for fix in plan.by_rule["norm/undersized-eps"] if fix.knob == "eps"]
    assert eps == [Fix(knob="eps", old=1e-5, new=1e-3, origin="user")]
    assert plan.idle == []


def test_what_an_established_cause_accounts_for_is_judged_by_what_others_propose(tmp_path: Path) -> None:
    grown = "".join(f"step {step}: loss={loss}, lr=0.5\n" for step, loss in enumerate([9, 7, 280, 8700, 270000, "nan"]))
    found, _ = hits(tmp_path, grown)
    plan = fixes.plan(found, [])
    assert {fix.knob for fix in plan.by_rule["loss/blown-up"]} == {"lr"}
    assert "nonfinite/loss" not in plan.by_rule
    asked = fixes.plan(found, [Fix(knob="logit_clip", new=10.0, origin="user")])
    assert [fix.knob for fix in asked.by_rule["nonfinite/loss"]] == ["logit_clip"]


def test_a_law_judges_whoever_proposes_the_fix(tmp_path: Path) -> None:
    found, _ = hits(tmp_path, BEYOND)
    plan = fixes.plan(found, [Fix(knob="eps", old=1e-5, new=0.5, origin="user")])
    words = {verdict.fix.new: verdict.verdict for verdict in fixes.by_law(found, plan) if verdict.fix.knob == "eps"}
    assert words == {1e-3: "refuted", 0.5: "refuted"}


def test_a_knob_that_a_law_alone_judges_is_enough(tmp_path: Path) -> None:
    found, proposed = hits(tmp_path, "step 1: loss=9.0, grad_norm=inf\n# proposed: attention_clip -> 10\n")
    plan = fixes.plan(found, proposed)
    assert plan.idle == []
    (verdict,) = [verdict for verdict in fixes.by_law(found, plan) if verdict.fix.knob == "attention_clip"]
    assert (verdict.rule, verdict.verdict, verdict.basis) == ("nonfinite/gradient-norm", "refuted", "law")


def test_a_fix_that_nothing_can_judge_is_said_to_be_so(tmp_path: Path) -> None:
    found, _ = hits(tmp_path, BEYOND)
    plan = fixes.plan(found, [Fix(knob="temperature", old=3.0, new=2.0, origin="user")])
    (verdict,) = [verdict for verdict in fixes.by_law(found, plan) if verdict.fix.knob == "temperature"]
    assert (verdict.rule, verdict.verdict) == ("none", "inconclusive")


def test_every_planned_fix_that_was_not_judged_is_listed_with_the_reason(tmp_path: Path) -> None:
    found, _ = hits(tmp_path, BEYOND)
    plan = fixes.plan(found, [])
    # a law has judged eps already
    (verdict,) = fixes.unjudged(plan, fixes.by_law(found, plan), {}, "no torch")
    assert (verdict.fix.knob, verdict.because) == ("dtype", "not replayed: no torch")


def test_a_fix_of_the_log_that_makes_no_sense_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(BEYOND + "# proposed: dtype -> purple\n")
    verdicts = {v.fix.new: v for v in analyze(str(path))[0].verdicts if v.fix.knob == "dtype"}
    assert "purple" in verdicts["purple"].because
    assert verdicts["purple"].verdict == "inconclusive"
    assert "not replayed" not in verdicts["fp32"].because


def test_a_fix_of_the_user_that_makes_no_sense_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(BEYOND)
    with pytest.raises(PostmortemError, match="purple"):
        analyze(str(path), extra_fixes=["dtype=purple"])
