"""`postmortem verify`: the next run's logs against the predictions of an incident."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from postmortem.commands import _options, _outputs
from postmortem.report.verified import OUTPUTS

if TYPE_CHECKING:
    from pathlib import Path


@click.command("verify", short_help="Hold the next run's logs against an incident's predictions.")
@click.argument("logs", nargs=-1, required=True, metavar="NEXT.log...")
@click.option("--against", required=True, metavar="INCIDENT.json", help="What `analyze LOG -o INCIDENT.json` wrote.")
@click.option("--applied", multiple=True, metavar="KNOB=VALUE", help="A fix that was made and that no log states.")
@_options.formats
@_options.rules
@_outputs.options(OUTPUTS)
@click.option("-v", "--verbose", is_flag=True, help="Show the fixes that were not made too, and all changes.")
def command(
    logs: tuple[str, ...],
    against: str,
    applied: tuple[str, ...],
    formats: tuple[Path, ...],
    rule_folders: tuple[Path, ...],
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    verbose: bool,  # noqa: FBT001 - click passes flags by name
) -> None:
    """Mark each prediction of INCIDENT.json held, broken or not seen in NEXT.log, a log of the run after the fix.

    A fix that was made and moved nothing that it must move is called not connected.

    Exit codes: 0 what could be checked held, 1 a prediction is broken, 2 nothing could be checked.
    """
    from postmortem.verify.predictions import verify

    wanted = _outputs.pairs(OUTPUTS, forms, outputs)
    configuration = _options.configuration()
    verification = verify(
        logs,
        against,
        applied=applied,
        formats=_options.joined(configuration.formats, formats),
        rule_folders=_options.joined(configuration.rules, rule_folders),
        configuration=configuration,
    )
    _outputs.emit(OUTPUTS, wanted, verification, verbose=verbose)
    if verification.code() == 2:  # noqa: PLR2004 - the exit code of what could not be judged
        click.echo("postmortem: nothing could be checked: each prediction says what is missing", err=True)
    sys.exit(verification.code())
