"""`postmortem check`: a folder or store of logs, held against a threshold, expectations and what is known."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options, _outputs
from postmortem.errors import PostmortemError
from postmortem.report.checks import CHECKS

if TYPE_CHECKING:
    from postmortem.check.logs import Check

_LASTS: Final = dt.timedelta(days=90)


@click.command("check", short_help="Judge many logs, for CI: exit 1 for findings that are not known.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--expect", "expected", type=Path, metavar="FILE", help="What each log must and must not show (YAML).")
@click.option("--baseline", "known", type=Path, metavar="FILE", help="Findings that are known and do not count (YAML).")
@click.option(
    "--write-baseline", type=Path, metavar="FILE", help="Add the findings that count to FILE. Needs --reason."
)
@click.option("--reason", metavar="TEXT", help="Why the findings of --write-baseline need not count.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The last day on which they do not.  [default: in 90 days]",
)
@click.option(
    "--fail-on",
    type=click.Choice(_options.SEVERITIES),
    help="Exit with 1 for findings of this severity or above.  [default: medium]",
)
@click.option("--allow-unreadable", is_flag=True, help="Let logs pass that cannot be judged; they are listed.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Files below a folder to leave out, as *.err.")
@click.option("--per-folder", is_flag=True, help="Each folder PATH is one run, as for analyze.")
@click.option("-j", "--jobs", default=0, type=click.IntRange(0), help="Processes.  [default: one per processor]")
@click.option("--index", type=Path, metavar="FILE", help="Where to remember what was judged.  [default: in the cache]")
@click.option("--rehash", is_flag=True, help="Tell unchanged files by content, not by size and time.")
@_options.rules
@_options.formats
@_outputs.options(CHECKS)
@click.option("-v", "--verbose", is_flag=True, help="List runs that passed too.")
def command(
    paths: tuple[str, ...],
    expected: Path | None,
    known: Path | None,
    write_baseline: Path | None,
    reason: str | None,
    expires: dt.datetime | None,
    fail_on: str | None,
    allow_unreadable: bool,  # noqa: FBT001 - click passes flags by name
    exclude: tuple[str, ...],
    per_folder: bool,  # noqa: FBT001
    jobs: int,
    index: Path | None,
    rehash: bool,  # noqa: FBT001
    rule_folders: tuple[Path, ...],
    formats: tuple[Path, ...],
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    verbose: bool,  # noqa: FBT001
) -> None:
    """Judge all logs at each PATH by laws alone: a file, a folder, a pattern, or a URL (s3://, gs://).

    A run is one log, with its other ranks and its stderr. What has not changed since the last check is not read again.

    Exit codes: 0 nothing found at or above the threshold and all expectations met, 1 findings or a broken expectation,
    2 a log could not be judged, or none was found. 2 wins over 1.
    """
    from postmortem.archive.work import Options
    from postmortem.check.logs import Request, check

    if write_baseline is not None and not (reason or "").strip():
        raise PostmortemError("--write-baseline: why need these findings not count? Add --reason TEXT")
    wanted = _outputs.pairs(CHECKS, forms, outputs)
    configuration = _options.configuration()
    options = Options(
        rules=tuple(_options.joined(configuration.rules, rule_folders)),
        formats=tuple(_options.joined(configuration.formats, formats)),
        configuration=configuration,
    )
    request = Request(
        paths=paths,
        options=options,
        fail_on=fail_on or configuration.fail_on,  # type: ignore[arg-type]  # click lets no other pass
        expected=expected,
        known=known,
        index=index or _index(),
        rehash=rehash,
        exclude=exclude,
        per_folder=per_folder,
        allow_unreadable=allow_unreadable,
        jobs=jobs,
    )
    found = check(request, _options.progress)
    if write_baseline is not None:
        _write(write_baseline, found, str(reason), expires)
    _outputs.emit(CHECKS, wanted, found, verbose=verbose)
    for error in dict.fromkeys(error for run in found.runs for error in run.errors() if run.incident):
        click.echo(f"postmortem: {error}", err=True)
    unjudged = [error for run in found.runs for error in run.errors() if run.problem]
    if unjudged:
        more = f" (and {len(unjudged) - 1:,} more)" if len(unjudged) > 1 else ""
        click.echo(f"postmortem: {' '.join(unjudged[0].splitlines())}{more}", err=True)
    sys.exit(found.code)


def _index() -> Path | None:
    """Where what was judged is remembered unless the user says; None: nowhere."""
    from postmortem import cache

    folder = cache.folder()
    return folder / "judged.sqlite" if folder else None


def _write(file: Path, found: Check, reason: str, expires: dt.datetime | None) -> None:
    from postmortem.check import baseline

    last = expires.date() if expires else dt.datetime.now().date() + _LASTS  # noqa: DTZ005 - where the user is
    count = baseline.accept(file, found.runs, found.fail_on, reason, last)
    click.echo(f"{file}: {count:,} findings added, known until {last}", err=True)
