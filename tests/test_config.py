"""The configuration file: which one counts, what it says, and how a mistake in it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem import config
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert config.nearest(tmp_path) == config.Config(formats=(), rules=(), **{"fail-on": "medium"})


def test_the_nearest_file_counts_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "formats").mkdir()
    inner = tmp_path / "project" / "runs"
    inner.mkdir(parents=True)
    (tmp_path / "postmortem.toml").write_text('formats = ["formats"]\nfail-on = "low"\n')
    assert config.nearest(inner).fail_on == "low"
    assert config.nearest(inner).formats == (tmp_path / "formats",)
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert config.nearest(inner).fail_on == "low"
    (tmp_path / "project" / "pyproject.toml").write_text('[tool.postmortem]\nfail-on = "high"\n')
    assert config.nearest(inner).fail_on == "high"
    assert config.nearest(inner).formats == ()
    (tmp_path / "project" / "postmortem.toml").write_text('fail-on = "critical"\n')
    assert config.nearest(inner).fail_on == "critical"


def test_a_file_of_any_name_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "my rules").mkdir()
    (tmp_path / "ci.toml").write_text('rules = ["my rules"]\n')
    assert config.load(tmp_path / "ci.toml").rules == (tmp_path / "my rules",)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("postmortem.toml", 'fail_on = "high"', "fail_on: no such key; did you mean fail-on?"),
        (
            "postmortem.toml",
            "colour = 1",
            "colour: no such key; there are ignore, params, formats, rules, fail-on, select, rule-limits, per-path",
        ),
        (
            "pyproject.toml",
            '[tool.postmortem]\nfail-on = "hihg"',
            "fail-on: 'hihg' is none of info, low, medium, high or critical; did you mean high?",
        ),
        ("postmortem.toml", 'ignore = {kd = ""}', "ignore.kd.reason: a reason is needed"),
        ("postmortem.toml", "[ignore.kd]\nuntil = 2026-01-01", "ignore.kd.reason: a reason is needed"),
        ("postmortem.toml", '[ignore.kd]\nreasn = "x"', "ignore.kd.reasn: no such key; did you mean reason?"),
        ("postmortem.toml", '[ignore.kd]\nreason = "x"\nuntil = "soon"', "ignore.kd.until: "),
        ("postmortem.toml", '[per-path."a/*"]\nignor = 1', "per-path.a/*.ignor: no such key; did you mean ignore?"),
        (
            "postmortem.toml",
            '[per-path."a/*".ignore.kd]\nunti = 1',
            "per-path.a/*.ignore.kd.unti: no such key; did you",
        ),
        ("postmortem.toml", "params = {kd = 3}", "params.kd: "),
        ("postmortem.toml", "[rule-limits]\nsecond = 3", "rule-limits.second: no such key; did you mean seconds?"),
        ("postmortem.toml", "[rule-limits]\nseconds = 0", "rule-limits.seconds: Input should be greater than 0"),
        (
            "postmortem.toml",
            "[rule-limits]\nmemory = 0.1",
            "rule-limits.memory: Input should be greater than or equal to",
        ),
        ("postmortem.toml", 'formats = "x.yaml"', "formats: a list is expected, this is str"),
        ("postmortem.toml", 'formats = ["x.yaml"]', "formats: {folder}/x.yaml: no such file or folder"),
        ("postmortem.toml", 'rules = ["postmortem.toml"]', "rules: {folder}/postmortem.toml: no such folder"),
        ("postmortem.toml", "formats = [", "not TOML: "),
        ("pyproject.toml", "tool.postmortem = 1", "tool.postmortem: a table is expected"),
        ("pyproject.toml", "[tool.ruff]", "no table [tool.postmortem]; add it, or name another file"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PostmortemError) as caught:
        config.load(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: {reason.format(folder=tmp_path)}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="no such configuration file"):
        config.load(tmp_path / "none.toml")
    with pytest.raises(PostmortemError, match="cannot be read: Is a directory"):
        config.load(tmp_path)
