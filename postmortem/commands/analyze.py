"""`postmortem analyze`: a log to a verdict, in each format that is asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from postmortem.commands import _options, _outputs, _threads
from postmortem.report.outputs import OUTPUTS

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.rules.finding import Severity


@click.command("analyze", short_help="Judge a log: what happened, which fixes hold, what comes next.")
@click.argument("log", type=click.Path())
@click.option("--fix", "fixes", multiple=True, metavar="KNOB=OLD:NEW", help="A fix to test, e.g. eps=1e-5:1e-3.")
@click.option("--no-replay", is_flag=True, help="Judge by laws alone; needs no torch.")
@click.option("--device", metavar="DEVICE", help="Where to replay: cpu, cuda. Default: cuda where there is one.")
@click.option("--seed", default=0, show_default=True, help="Seed of the replays; the same seed, the same verdicts.")
@click.option(
    "--draws", default=1024, show_default=True, type=click.IntRange(64, 1_000_000), help="Scenarios per mechanism."
)
@_options.rules
@_options.formats
@_outputs.options(OUTPUTS)
@click.option(
    "--fail-on",
    type=click.Choice(_options.SEVERITIES),
    help="Exit with 1 for findings of this severity or above.  [default: medium]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all evidence, and what was not checked.")
def command(
    log: str,
    fixes: tuple[str, ...],
    no_replay: bool,  # noqa: FBT001 - click passes flags by name
    device: str | None,
    seed: int,
    draws: int,
    rule_folders: tuple[Path, ...],
    formats: tuple[Path, ...],
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    fail_on: str | None,
    verbose: bool,  # noqa: FBT001
) -> None:
    """Judge LOG: what happened, which fixes hold, what the next run must show.

    LOG is a text log, packed or not; a csv, JSON lines, event or scheduler's file; a folder of one run; or - for
    stdin.

    Without --format the result is printed, and every -o FILE is written in the format of its suffix.
    """
    _threads.fit(log)
    from postmortem.analysis import analyze as judge
    from postmortem.report.escape import visible

    wanted = _outputs.pairs(OUTPUTS, forms, outputs)
    configuration = _options.configuration()
    incident, run = judge(
        log,
        extra_fixes=fixes,
        rule_folders=_options.joined(configuration.rules, rule_folders),
        formats=_options.joined(configuration.formats, formats),
        configuration=configuration,
        replay=not no_replay,
        device=device,
        seed=seed,
        draws=draws,
    )
    threshold: Severity = fail_on or configuration.fail_on  # type: ignore[assignment]  # click lets no other pass
    _outputs.emit(OUTPUTS, wanted, incident, run, verbose=verbose, fail_on=threshold)
    for error in incident.rule_errors:
        click.echo(f"postmortem: {visible(error)}", err=True)
    if incident.rule_errors:
        sys.exit(2)
    severity = _options.SEVERITIES.index
    worst = max((severity(finding.severity) for finding in incident.findings), default=-1)
    sys.exit(1 if worst >= severity(threshold) else 0)
