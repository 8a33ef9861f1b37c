"""What `rules` and `explain` share: the rules in force, and one of them as a page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from postmortem.commands import _options
from postmortem.errors import PostmortemError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.rules.catalogue import Entry
    from postmortem.rules.rule import Rule

#: Columns of a page that is not printed to a terminal.
_WIDTH = 100


def entries(folders: Sequence[Path]) -> tuple[list[Entry], list[str]]:
    """The rules of this configuration and of `--rules`, and one line for each file that is none."""
    from postmortem.rules import catalogue

    return catalogue.entries(_options.joined(_options.configuration().rules, tuple(folders)))


def show(rule_id: str, folders: Sequence[Path], *, whole: bool) -> None:
    """Print the page of a rule. PostmortemError for an id that no rule has; exit 2 if a file holds no rule."""
    from postmortem.report.rule import page

    found, errors = entries(folders)
    known = {entry.rule.id: entry for entry in found}
    if rule_id not in known:
        broken = f"; {errors[0]}" if errors else ""
        raise PostmortemError(
            f"{rule_id}: no such rule{did_you_mean(rule_id, known)}; `postmortem rules list` shows all{broken}"
        )
    entry = known[rule_id]
    rules = [other.rule for other in found]
    _print(page(entry, rules, values=_example(entry.rule), whole=whole))
    complain(errors)


def complain(errors: Sequence[str]) -> None:
    """Name the files that hold no rule, and exit with 2 if there are any."""
    from postmortem.report.escape import visible

    for error in errors:
        click.echo(f"postmortem: {visible(error)}", err=True)
    if errors:
        sys.exit(2)


def _example(rule: Rule) -> dict[str, Any] | None:
    """The values of a finding of the rule's first example, if it makes one here."""
    from postmortem.rules.check import judged

    try:
        hits = judged(rule, rule.tests.fires[0].log, _options.configuration().formats).hits
    except PostmortemError:
        return None
    return hits[0].rows[0] if hits else None


def _print(markdown: str) -> None:
    """On a terminal as wide and coloured as it is; elsewhere as plain text."""
    from rich.console import Console
    from rich.markdown import Markdown

    if sys.stdout.isatty():
        Console().print(Markdown(markdown))
        return
    console = Console(width=_WIDTH)
    with console.capture() as captured:
        console.print(Markdown(markdown))
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
