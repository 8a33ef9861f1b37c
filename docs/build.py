"""Writes the generated pages of `docs/` and the README's blocks anew: `make docs`. The tests hold them current."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.report import experiment_pages, rule_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
#: The README shows what this log gets.
_SAMPLE: Final = ROOT / "sample_logs" / "job-7204342.log"
_BLOCK: Final = re.compile(r"(<!-- (help|output) -->\n```text\n).*?(\n```\n<!-- /\2 -->)", re.DOTALL)


def commands() -> str:
    """The help of every command and of those below it, as one page."""
    sections = [f"## postmortem {name}\n\n```text\n{help_of(name)}\n```\n" for name in _names(main, "")]
    return "# Commands\n\nWhat `--help` prints. `postmortem --help` itself stands in the README.\n\n" + "\n".join(
        sections
    )


def help_of(command: str = "") -> str:
    """What `--help` of a command prints on a terminal of 100 columns."""
    return _run(*command.split(), "--help")


def readme(text: str) -> str:
    """The README with its blocks made anew."""
    made = {"help": help_of, "output": lambda: _run("analyze", str(_SAMPLE))}
    return _BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]()}{found[3]}", text)


def _names(group: click.Group, prefix: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield f"{prefix}{name}"
        if isinstance(command := group.get_command(context, name), click.Group):
            yield from _names(command, f"{prefix}{name} ")


def _run(*words: str) -> str:
    return CliRunner().invoke(main, words, prog_name="postmortem", terminal_width=100).stdout.rstrip()


if __name__ == "__main__":
    rule_pages.write(ROOT / "docs" / "rules")
    experiment_pages.write(ROOT / "docs" / "experiments")
    (ROOT / "docs" / "commands.md").write_text(commands(), encoding="utf-8")
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text(encoding="utf-8")), encoding="utf-8")
