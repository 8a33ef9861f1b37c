"""The README shows what the command says."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.parsing import dialects
from postmortem.replay import experiments
from postmortem.rules import rule as rule_files

README = (Path(__file__).parent.parent / "README.md").read_text()


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```text\n(.*?)\n```\n<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("command", ["", *main.list_commands(click.Context(main))])
def test_the_help_of_each_command_is_current(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"], prog_name="postmortem", terminal_width=100)
    assert block(f"help {command}".strip()) == result.output.rstrip()


def test_the_output_is_current() -> None:
    log = Path(__file__).parent.parent / "sample_logs" / "job-7204342.log"
    result = CliRunner().invoke(main, ["analyze", str(log)])
    # figures of a replay may differ in their last digit on another processor; what is said may not
    said, shown = (re.sub(r"[0-9][0-9,.e+-]*", "0", text) for text in (result.stdout.rstrip(), block("output")))
    assert said == shown


def test_the_counts_are_current() -> None:
    rules, _ = rule_files.load_folder(rule_files.SHIPPED)
    assert f"{len(dialects.shipped().all)} dialects in `postmortem/formats/`" in README
    assert f"{len(rules)} rules in `rules/`" in README
    assert all(f"`{name}`" in README for name in experiments.names())
