"""`postmortem explain`: what a finding means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from postmortem.commands import _options, _rules

if TYPE_CHECKING:
    from pathlib import Path


@click.command("explain", short_help="What a finding means, what it does not prove, and what to do next.")
@click.argument("rule_id", metavar="ID")
@_options.rules
def command(rule_id: str, rule_folders: tuple[Path, ...]) -> None:
    """Explain the finding of the rule ID, such as amp/scaler-startup.

    What it means and why, what it does not prove, when it is wrong, what to do next, which fixes are tested, and
    example lines.
    """
    _rules.show(rule_id, rule_folders, whole=False)
