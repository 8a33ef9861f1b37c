"""What a configuration selects, ignores and sets: by names that exist, for reasons, and never silently."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from postmortem import config
from postmortem.analysis import analyze
from postmortem.errors import PostmortemError
from postmortem.rules import catalogue
from postmortem.rules.policy import NOT_SELECTED, Policy, policy
from postmortem.rules.rule import Param

if TYPE_CHECKING:
    from pathlib import Path

RULES, _ = catalogue.rules()
IDS = {rule.id for rule in RULES}
LOG = "step 1: loss=2.0\nstep 2: loss=nan\nstep 3: loss=1.5\n"
#: What this log shows, without any configuration.
FOUND = {"nonfinite/loss", "nonfinite/isolated"}


def said(folder: Path, text: str) -> config.Config:
    """The configuration that a file in `folder` holds."""
    (folder / "postmortem.toml").write_text(text)
    return config.load(folder / "postmortem.toml")


def chosen(folder: Path, text: str, path: str | list[Path] = "run.log") -> Policy:
    return policy(RULES, said(folder, text), path)


def judged(folder: Path, text: str) -> Any:  # noqa: ANN401 - an incident; its fields are what is tested
    (folder / "run.log").write_text(LOG)
    incident, _ = analyze(str(folder / "run.log"), replay=False, configuration=said(folder, text))
    return incident


def test_without_a_word_all_rules_run() -> None:
    assert policy(RULES, config.Config(), "run.log") == Policy(rules=RULES)


@pytest.mark.parametrize(
    ("select", "count"),
    [
        ('["amp/scaler-startup"]', 1),
        ('["amp"]', sum(rule.startswith("amp/") for rule in IDS)),
        ('["amp/scale-*", "kd/zero"]', sum(rule.startswith("amp/scale-") for rule in IDS) + 1),
        ('["amp", "amp/*"]', sum(rule.startswith("amp/") for rule in IDS)),
    ],
)
def test_rules_families_and_patterns_are_selected(tmp_path: Path, select: str, count: int) -> None:
    found = chosen(tmp_path, f"select = {select}")
    assert len(found.rules) == count
    assert len(found.not_checked) == len(RULES) - count
    assert {reason for _, reason in found.not_checked} == {NOT_SELECTED}


def test_a_parameter_is_set_for_its_rule_alone(tmp_path: Path) -> None:
    found = chosen(tmp_path, '[params."amp/scaler-startup"]\nhalvings = 20\ngrowth_interval = "1000 steps"')
    (rule,) = [rule for rule in found.rules if rule.id == "amp/scaler-startup"]
    assert {name: param.default for name, param in rule.params.items()} == {
        "halvings": 20.0,
        "growth_interval": 1000.0,
        "default_scale": 65536.0,
    }
    (before,) = [rule for rule in RULES if rule.id == "amp/scaler-startup"]
    assert before.params["halvings"].default == 16
    assert [rule for rule in found.rules if rule.id != "amp/scaler-startup"] == [
        rule for rule in RULES if rule.id != "amp/scaler-startup"
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('select = ["ampp"]', "select: ampp: no such rule; did you mean amp?"),
        (
            '[ignore]\n"amp/scaler-startpu" = "x"',
            "ignore: amp/scaler-startpu: no such rule; did you mean amp/",
        ),
        ("[params.amp]\nhalvings = 1", "params: amp: no such rule"),
        ('[params."kd/zro"]\nx = 1', "params: kd/zro: no such rule; did you mean kd/zero?"),
        (
            '[params."amp/scaler-startup"]\nhalving = 1',
            "params.amp/scaler-startup: halving: no such parameter; did",
        ),
        (
            '[params."amp/scaler-startup"]\nzzz = 1',
            "zzz: no such parameter; it has halvings, growth_interval",
        ),
        ('[params."python/key-missing"]\nzzz = 1', "zzz: no such parameter; it has none"),
        ('[params."amp/scaler-startup"]\nhalvings = "20 lines"', "halvings: it is in steps, not in lines"),
        ('[params."amp/scaler-startup"]\nhalvings = "many"', "halvings: 'many' is no number; write 16 or the like"),
        ('[params."amp/scaler-startup"]\nhalvings = -1', "halvings: -1.0 is not within 0 and inf steps"),
        ('[params."amp/scaler-startup"]\nhalvings = nan', "halvings: nan is not within 0 and inf steps"),
        ('[params."amp/scaler-startup"]\nhalvings = "1..2 steps"', "halvings: 1..2 steps is not within 0 and inf"),
        (
            '[per-path."*.log".ignore]\n"kd/zro" = "x"',
            "per-path.*.log.ignore: kd/zro: no such rule; did you mean kd/zero",
        ),
    ],
)
def test_what_does_not_exist_is_told_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(PostmortemError) as caught:
        chosen(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/postmortem.toml: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("param", "bounds"),
    [
        (Param(default=0.5, unit="share", why=""), (0.0, 1.0)),
        (Param(default=3, unit="steps", why=""), (0.0, float("inf"))),
        (Param(default=-3, unit="nats", why=""), (-float("inf"), float("inf"))),
        (Param(default=3, unit="steps", why="", least=2, most=5), (2.0, 5.0)),
    ],
)
def test_a_parameter_has_bounds(param: Param, bounds: tuple[float, float]) -> None:
    assert param.bounds == bounds


@pytest.mark.parametrize(
    ("pattern", "path", "holds"),
    [
        ("archive/old/**", "archive/old/a.log", True),
        ("archive/old/**", "archive/old/2024/a.log", True),
        ("archive/old/**", "archive/new/a.log", False),
        ("archive/*/a.log", "archive/old/a.log", True),
        ("archive/*/a.log", "archive/old/2024/a.log", False),
        ("**/a.log", "a.log", True),
        ("**/a.log", "x/y/a.log", True),
        ("*.err", "x/y/a.err", True),
        ("x/?.log", "x/a.log", True),
        ("x/[a].log", "x/a.log", False),
    ],
)
def test_a_path_is_matched_below_the_file(tmp_path: Path, pattern: str, path: str, *, holds: bool) -> None:
    found = chosen(tmp_path, f'[per-path."{pattern}".ignore]\nkd = "not ours"', str(tmp_path / path))
    assert set(found.ignores) == ({"kd"} if holds else set())
    both = chosen(tmp_path, f'[per-path."{pattern}".ignore]\nkd = "not ours"', [tmp_path / path, tmp_path / "z/z.z"])
    assert set(both.ignores) == set()


def test_what_holds_for_a_path_comes_last(tmp_path: Path) -> None:
    text = """
    [ignore]
    amp = "everywhere"
    [params."amp/scaler-startup"]
    halvings = 10
    growth_interval = 500
    [per-path."*.log".params."amp/scaler-startup"]
    halvings = 11
    [per-path."*.log".ignore]
    amp = "here"
    """
    found = chosen(tmp_path, text)
    (rule,) = [rule for rule in found.rules if rule.id == "amp/scaler-startup"]
    assert (rule.params["halvings"].default, rule.params["growth_interval"].default) == (11, 500)
    assert found.ignores["amp"].reason == "here"


def test_what_is_ignored_is_listed_with_its_reason_and_does_not_count(tmp_path: Path) -> None:
    assert {finding.rule for finding in judged(tmp_path, "").findings} == FOUND
    incident = judged(tmp_path, '[ignore]\n"nonfinite/loss" = {reason = "a known batch", until = 9999-12-31}')
    assert [finding.rule for finding in incident.findings] == ["nonfinite/isolated"]
    (ignored,) = incident.ignored
    assert (ignored.finding.rule, ignored.reason, ignored.until) == ("nonfinite/loss", "a known batch", "9999-12-31")
    assert ignored.finding.evidence[0].line == 2
    assert "nonfinite/loss" not in incident.root_causes
    assert incident.summary[-1] == "1 finding is ignored, as the configuration says."
    assert incident.unused_ignores == []


def test_an_ignore_that_nothing_needs_is_reported(tmp_path: Path) -> None:
    incident = judged(
        tmp_path,
        'select = ["nonfinite", "grad"]\n[ignore]\n"grad/*" = "noise"\nkd = "not ours"\n'
        '"nonfinite/loss" = {reason = "for a while", until = 2020-01-01}',
    )
    assert {finding.rule for finding in incident.findings} == FOUND
    assert {one.ignore: one.because for one in incident.unused_ignores} == {
        "grad/*": "nothing that it names is found in this log",
        "kd": "no rule that it names is selected",
        "nonfinite/loss": "it ended on 2020-01-01",
    }
    assert dict.fromkeys(IDS) == dict.fromkeys(
        [
            *(item.rule for item in incident.not_checked),
            *(rule for rule in IDS if rule.startswith(("nonfinite", "grad"))),
        ]
    )


def test_the_last_day_of_an_ignore_counts(tmp_path: Path) -> None:
    found = chosen(tmp_path, '[ignore]\nkd = {reason = "x", until = 2026-05-04}')
    assert found.ignored("kd/zero", date(2026, 5, 4))
    assert not found.ignored("kd/zero", date(2026, 5, 5))
    assert not found.ignored("amp/scaler-startup", date(2026, 5, 4))
