"""`postmortem analyze`: a log to a verdict, as text, markdown or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.run import Run

_SUFFIXES: Final = {".md": "markdown", ".json": "json", ".txt": "terminal"}
_FORMATS: Final = ("terminal", "markdown", "json")


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
@click.option("--format", "forms", multiple=True, type=click.Choice(_FORMATS), help="Pairs with -o, in order.")
@click.option("-o", "--output", "outputs", multiple=True, type=Path, metavar="FILE", help="Write to FILE (.md, .json).")
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
    from postmortem.analysis import analyze as judge

    pairs = _pairs(forms, outputs)
    configuration = _options.configuration()
    incident, run = judge(
        log,
        extra_fixes=fixes,
        rule_folders=_options.joined(configuration.rules, rule_folders),
        formats=_options.joined(configuration.formats, formats),
        replay=not no_replay,
        device=device,
        seed=seed,
        draws=draws,
    )
    for form, output in pairs:
        _emit(incident, run, form, output, verbose=verbose)
    for error in incident.rule_errors:
        click.echo(f"postmortem: {error}", err=True)
    if incident.rule_errors:
        sys.exit(2)
    severity = _options.SEVERITIES.index
    worst = max((severity(finding.severity) for finding in incident.findings), default=-1)
    sys.exit(1 if worst >= severity(fail_on or configuration.fail_on) else 0)


def _pairs(forms: tuple[str, ...], outputs: tuple[Path, ...]) -> list[tuple[str, Path | None]]:
    """Formats with their files in order; a format beyond the last file goes to stdout."""
    if not forms:
        for output in outputs:
            if output.suffix not in _SUFFIXES:
                raise PostmortemError(f"-o {output}: no format has this suffix; add --format or use .md or .json")
        return [("terminal", None), *((_SUFFIXES[output.suffix], output) for output in outputs)]
    if len(outputs) > len(forms):
        raise PostmortemError(f"-o {outputs[len(forms)]}: {len(outputs)} files for {len(forms)} formats")
    return list(zip(forms, [*outputs, *[None] * (len(forms) - len(outputs))], strict=True))


def _emit(incident: Incident, run: Run, form: str, output: Path | None, *, verbose: bool) -> None:
    if output is None:
        click.echo(_text(incident, form, output, verbose=verbose), nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if form == "markdown":
            from postmortem.report import markdown

            markdown.write(incident, run, output)
        else:
            output.write_text(_text(incident, form, output, verbose=verbose), encoding="utf-8")
    except OSError as error:
        raise PostmortemError(f"{output}: cannot be written: {error.strerror}") from None


def _text(incident: Incident, form: str, output: Path | None, *, verbose: bool) -> str:
    if form == "json":
        from postmortem.report import json

        return json.render(incident)
    if form == "markdown":
        from postmortem.report import markdown

        return markdown.render(incident)
    from io import StringIO

    from rich.console import Console

    from postmortem.report import terminal

    tty = output is None and sys.stdout.isatty()
    width = None if tty else 100
    console = Console(file=StringIO(), force_terminal=tty, width=width or Console().width)
    terminal.render(incident, console, verbose=verbose)
    file = console.file
    assert isinstance(file, StringIO)  # noqa: S101 - set four lines above; for the type checker
    return file.getvalue()
