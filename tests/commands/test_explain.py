"""`postmortem explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner

from postmortem.cli import main
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, arguments)])


def test_a_finding_is_explained() -> None:
    result = run("grad/localised")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    headings = ("Why", "What it does not prove", "False positives", "What to do next", "Examples", "References")
    assert [line for line in lines if line in headings] == list(headings)
    # (9 / 10)² = 81 %, in (9 / 3)² = 9 entries
    assert any(line.startswith("▌") and "81" in line for line in lines)
    assert " > 3  Top exploding parameter:" in lines
    assert "SELECT" not in result.stdout


def test_a_rule_of_ones_own_is_explained(tmp_path: Path) -> None:
    result = run("mine/rule", "--rules", users.rules(tmp_path))
    assert result.exit_code == 0
    assert "it shows that the rule ran" in result.stdout.splitlines()


def test_an_example_that_does_not_fire_leaves_the_message_as_it_is_written(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    path = own / "mine" / "rule.yaml"
    path.write_text(path.read_text().replace("step 1: loss=2.5", "step 1: lr=2.5"))
    assert "▌ the loss is {value:.1f}" in run("mine/rule", "--rules", own).stdout.splitlines()


def test_an_unknown_id_names_a_near_one() -> None:
    result = run("divergence")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "postmortem: divergence: no such rule; did you mean loss/divergence?; `postmortem rules list` shows all\n"
    )


def test_a_rule_that_is_asked_for_and_broken_is_named(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    (own / "mine" / "rule.yaml").write_text("title: [\n")
    result = run("mine/rule", "--rules", own)
    assert result.exit_code == 2
    assert f"{own}/mine/rule.yaml:2: not YAML" in result.stderr
