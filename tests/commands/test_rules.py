"""`postmortem rules list|show|test|new`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.rules.rule import SHIPPED, load
from tests import users

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["rules", *map(str, arguments)])


def test_the_list_has_every_rule_and_its_origin(tmp_path: Path) -> None:
    users.rules(tmp_path)
    (tmp_path / "postmortem.toml").write_text('rules = ["rules"]\n')
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["id", "title", "role", "severity", "confidence", "from"]
    assert len(lines) == 2 + len(list(SHIPPED.rglob("*.yaml")))
    (own,) = (line for line in lines if line.startswith("mine/rule "))
    assert own.split("  ")[-1].strip() == f"{tmp_path}/rules/mine/rule.yaml"
    assert sum(line.endswith(" shipped") for line in lines) == len(lines) - 2  # all but the heading and that one


def test_the_list_of_a_family_as_json(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    assert json.loads(run("list", "mine", "--json", "--rules", own).stdout) == [
        {
            "id": "mine/rule",
            "title": "There is a loss",
            "role": "context",
            "severity": "high",
            "confidence": "certain",
            "from": f"{own}/mine/rule.yaml",
            "path": f"{own}/mine/rule.yaml",
        }
    ]


def test_a_family_that_there_is_not() -> None:
    result = run("list", "slrum")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "slrum: no such family of rules; did you mean slurm?" in result.stderr


def test_a_file_that_holds_no_rule_is_named_beside_the_others(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    (own / "mine" / "broken.yaml").write_text("title: [\n")
    result = run("list", "mine", "--rules", own)
    assert result.exit_code == 2
    assert "mine/rule" in result.stdout
    assert result.stderr.startswith(f"postmortem: {own}/mine/broken.yaml:2: not YAML")


def test_a_rule_is_shown_whole(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    lines = run("show", "mine/rule", "--rules", own).stdout.splitlines()
    assert lines[0].strip() == "There is a loss"
    assert "mine/rule · context · high · certain" in lines
    assert "▌ the loss is 2.5" in lines
    assert " > 1  step 1: loss=2.5" in lines
    assert "   1  step 1: lr=0.5" in lines
    assert " SELECT line, value FROM metrics WHERE name = 'loss'" in lines
    assert lines[-1] == f"{own}/mine/rule.yaml"
    assert all(line == line.rstrip() for line in lines)


def test_without_a_file_all_rules_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmortem.rules.rule.SHIPPED", users.rules(tmp_path))
    assert run("test").stdout.splitlines()[-1] == "rules: 1, logs: 2, failed: 0"


def test_a_rule_that_holds(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    result = run("test", own)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"ok      {own}/mine/rule.yaml  logs: 2",
        "  no near miss: a log that almost fires it would prove where its edge is",
        "rules: 1, logs: 2, failed: 0",
    ]


def test_what_fails_is_named_with_its_line(tmp_path: Path) -> None:
    path = users.rules(tmp_path) / "mine" / "rule.yaml"
    text = path.read_text().replace("lines: [1]", "lines: [2]").replace("step 1: lr=0.5", "step 1: loss=9")
    text = text.replace("  quiet:", '  near: [{but: it does not end, log: "step 1: loss=7"}]\n  quiet:')
    path.write_text(text + "explains: [loss/zer]\n")
    result = run("test", path)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"failed  {path}  logs: 3",
        "  line 16  explains 1: explains: no rule loss/zer; did you mean loss/zero?",
        "  line 13  fires 1: expected evidence on line 2, found on line 1",
        "  line 14  near 1: expected to stay quiet, fires on line 1: the loss is 7.0",
        "  line 15  quiet 1: expected to stay quiet, fires on line 1: the loss is 9.0",
        "rules: 1, logs: 3, failed: 1",
    ]


@pytest.mark.parametrize("tried", ["rules", "rules/mine", "rules/mine/rule.yaml"])
def test_a_rule_may_refer_to_one_beside_it(tmp_path: Path, tried: str) -> None:
    path = users.rules(tmp_path) / "mine" / "rule.yaml"
    users.rules(tmp_path / "other", "ours/other").joinpath("ours").rename(tmp_path / "rules" / "ours")
    path.write_text(path.read_text() + "explains: [ours/other]\n")
    result = run("test", tried)
    assert result.exit_code == 0
    assert "failed: 0" in result.stdout


def test_a_file_that_cannot_be_used_outweighs_a_failure(tmp_path: Path) -> None:
    path = users.rules(tmp_path) / "mine" / "rule.yaml"
    path.write_text(path.read_text().replace("lines: [1]", "lines: [2]"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.yaml").write_text("title: [\n")
    taken = users.rules(tmp_path / "taken", "loss/zero") / "loss" / "zero.yaml"
    result = run("test", path, tmp_path / "empty", tmp_path / "none", tmp_path / "broken.yaml", taken)
    assert result.exit_code == 2
    assert result.stdout.splitlines()[-1] == "rules: 2, logs: 4, failed: 1"
    assert result.stderr.splitlines() == [
        f"postmortem: {tmp_path}/empty: no rule (*.yaml) in this folder; check the path",
        f"postmortem: {tmp_path}/none: no such file or folder of rules; check the path",
        f"postmortem: {tmp_path}/broken.yaml:2: not YAML: did not find expected node content",
        f"postmortem: {taken}:1: rule loss/zero exists already; give it another name",
    ]


def test_a_dialect_of_ones_own_reads_the_logs(tmp_path: Path) -> None:
    path = users.rules(tmp_path) / "mine" / "rule.yaml"
    path.write_text(path.read_text().replace("step 1: loss=2.5", "Zug 4: Verlust gleich 2,5 Punkte"))
    assert run("test", path).exit_code == 1
    assert run("test", path, "--formats", users.dialect(tmp_path)).exit_code == 0


def test_a_new_rule_is_complete_and_holds(tmp_path: Path) -> None:
    result = run("new", "mine/high-loss")
    path = tmp_path / "rules" / "mine" / "high-loss.yaml"
    assert result.exit_code == 0
    assert "postmortem rules test rules/mine/high-loss.yaml" in result.stdout
    assert "--rules rules" in result.stdout
    tried = run("test", path)
    assert (tried.exit_code, tried.stdout.splitlines()) == (
        0,
        [f"ok      {path}  logs: 3", "rules: 1, logs: 3, failed: 0"],
    )
    rule = load(path, tmp_path / "rules")
    assert rule.id == "mine/high-loss"
    assert rule.tests.near
    assert path.read_text().count("#") > 20  # it says what each field is


def test_a_new_rule_goes_where_the_configuration_says(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "postmortem.toml").write_text('rules = ["ours"]\n')
    result = run("new", "mine/high-loss")
    assert (tmp_path / "ours" / "mine" / "high-loss.yaml").is_file()
    assert "--rules" not in result.stdout  # it is judged by already
    assert run("list", "mine").stdout.count("mine/high-loss") == 2  # its id and its path


@pytest.mark.parametrize(
    ("rule_id", "reason"),
    [
        ("loss/zero", "loss/zero: exists already (shipped); choose another name"),
        ("mine/rule", "mine/rule: exists already ({folder}/rules/mine/rule.yaml); choose another name"),
        ("high-loss", "high-loss: no id of a rule; write FAMILY/NAME"),
        ("../../high-loss", "no id of a rule"),
        ("mine/High Loss", "no id of a rule"),
        ("mine/", "no id of a rule"),
    ],
)
def test_what_is_there_is_not_written_over(tmp_path: Path, rule_id: str, reason: str) -> None:
    own = users.rules(tmp_path)
    before = {path: path.read_text() for path in own.rglob("*.yaml")}
    result = run("new", rule_id, "--rules", own)
    assert result.exit_code == 2
    assert reason.format(folder=tmp_path) in result.stderr
    assert {path: path.read_text() for path in tmp_path.rglob("*.yaml")} == before


def test_a_file_that_is_no_rule_is_not_written_over_either(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    (own / "mine" / "draft.yaml").write_text("not yet\n")
    result = run("new", "mine/draft", "--rules", own)
    assert result.exit_code == 2
    assert f"{own}/mine/draft.yaml: exists already" in result.stderr
    assert (own / "mine" / "draft.yaml").read_text() == "not yet\n"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("new", "mine/rule", "--rules", tmp_path / "file")
    assert result.exit_code == 2
    assert f"{tmp_path}/file/mine/rule.yaml: cannot be written: Not a directory" in result.stderr
