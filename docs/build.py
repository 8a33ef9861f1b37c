"""Writes the generated pages of `docs/` and the README's blocks anew: `make docs`. The tests hold them current."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
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
#: A command of the tutorial, and what it prints.
_COMMAND: Final = re.compile(r"(```console\n\$ postmortem ([^\n]*)\n).*?(```\n)", re.DOTALL)
#: What its commands write and it shows.
_PICTURE: Final = ("comparison-figures/metrics-1.png", "docs/figures/tutorial-metrics.png")
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


def tutorial(text: str, folder: Path) -> str:
    """The tutorial with the output of its commands made anew, one after the other in an empty folder."""
    (folder / "sample_logs").symlink_to(ROOT / "sample_logs")
    with chdir(folder):
        return _COMMAND.sub(lambda found: found[1] + _shown(_run(*shlex.split(found[2]))) + found[3], text)


def _shown(output: str) -> str:
    return f"{output}\n" if output else ""


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
    page = ROOT / "docs" / "tutorial.md"
    with TemporaryDirectory() as folder:
        page.write_text(tutorial(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
        shutil.copy(Path(folder) / _PICTURE[0], ROOT / _PICTURE[1])
