"""`postmortem compare`: runs beside the first one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from postmortem.commands import _options, _outputs
from postmortem.report.comparisons import COMPARISONS


@click.command("compare", short_help="Hold runs against a first one: what differs, where they part, what a fix moved.")
@click.argument("logs", nargs=-1, required=True, type=click.Path(), metavar="BEFORE AFTER...")
@click.option(
    "--fix", "fixes", multiple=True, metavar="KNOB=OLD:NEW", help="A change that was made, e.g. eps=1e-8:1e-5."
)
@click.option("--rules", "rule_folders", multiple=True, metavar="DIR", type=Path, help="A folder of further rules.")
@_options.formats
@_outputs.options(COMPARISONS)
@click.option(
    "--fail-on",
    type=click.Choice(_options.SEVERITIES),
    help="Exit with 1 for findings of this severity or above that came.  [default: medium]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all rows.")
def command(
    logs: tuple[str, ...],
    fixes: tuple[str, ...],
    rule_folders: tuple[Path, ...],
    formats: tuple[Path, ...],
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    fail_on: str | None,
    verbose: bool,  # noqa: FBT001 - click passes flags by name
) -> None:
    """Hold each log AFTER against BEFORE, the first one; each is what analyze takes. Nothing is replayed.

    Says which settings differ, at which step metrics part beyond their batch noise, which findings came, went and
    stayed, and of each --fix whether what it must move moved: acted, not connected, confounded by another change,
    contradicted by a log, or not established.

    Exit codes: 0 no finding came at or above the threshold, 1 one came, 2 could not compare.
    """
    from postmortem.compare.runs import compare

    wanted = _outputs.pairs(COMPARISONS, forms, outputs)
    configuration = _options.configuration()
    compared = compare(
        logs,
        stated=fixes,
        rule_folders=_options.joined(configuration.rules, rule_folders),
        formats=_options.joined(configuration.formats, formats),
    )
    _outputs.emit(COMPARISONS, wanted, compared, verbose=verbose)
    severity = _options.SEVERITIES.index
    came = [found for pair in compared.comparison.pairs for found in pair.findings if found.change == "came"]
    worst = max((severity(finding.severity) for finding in came), default=-1)
    sys.exit(1 if worst >= severity(fail_on or configuration.fail_on) else 0)
