"""The examples of the documentation run, and print what stands beneath them."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs import build
from postmortem import config
from postmortem.cli import main
from postmortem.rules import catalogue
from postmortem.rules.policy import policy

ROOT = Path(__file__).parent.parent
#: The end of a fenced block is no output.
FENCED = re.compile(r"```python\n(>>> .*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["docs/python.md"])
def test_the_examples_print_what_is_shown(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = "\n".join(FENCED.findall((ROOT / page).read_text()))
    examples = doctest.DocTestParser().get_doctest(blocks, {}, page, page, 0)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=told.append)
    assert result.attempted == blocks.count(">>> ") > 0
    assert result.failed == 0, "".join(told)


def test_the_tutorial_is_current(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text()
    made = build.tutorial(page, tmp_path)  # `make docs` writes it
    # another processor rounds otherwise, and where lines break follows from the figures; what is said does not
    said, printed = (" ".join(re.sub(r"[0-9][0-9,.e+-]*", "0", text).split()) for text in (made, page))
    assert said == printed
    for shown in ("Root cause  impossible/", "refuted", "0 broken, 2 held", "went", "1 broken, 0 held"):
        assert shown in made
    assert (tmp_path / build._PICTURE[0]).exists()
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_step_of_ones_own_runs_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "own-step.md").read_text()
    (step,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    ((command, shown),) = re.findall(r"```console\n\$ postmortem (.*?)\n(.*?)\n```", page, re.DOTALL)
    (tmp_path / "recipe.py").write_text(step)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, shlex.split(command))
    assert (result.exit_code, result.stderr) == (0, "")
    # another processor rounds otherwise, and where lines break follows from the figures; what is said does not
    said, printed = (" ".join(re.sub(r"[0-9][0-9,.e+-]*", "0", text).split()) for text in (result.stdout, shown))
    assert said == printed


def test_the_configuration_that_is_shown_has_every_key_and_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "configuration.md").read_text(), re.DOTALL)
    for folder in ("formats", "rules"):
        (tmp_path / folder).mkdir()
    (tmp_path / "postmortem.toml").write_text(shown)
    found = config.load(tmp_path / "postmortem.toml")
    assert found.model_fields_set == set(config.Config.model_fields)
    rules, _ = catalogue.rules()
    halvings = {}
    for path in ("a.log", "a.err", "archive/old/2023/a.log"):
        chosen = policy(rules, found, str(tmp_path / path))
        (rule,) = [rule for rule in chosen.rules if rule.id == "amp/scaler-startup"]
        halvings[path] = rule.params["halvings"].default, chosen.ignored("nonfinite/loss")
    assert halvings == {"a.log": (20, False), "a.err": (24, False), "archive/old/2023/a.log": (20, True)}
