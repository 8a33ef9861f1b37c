"""`postmortem fields`: how each line and each name of a log was understood, and what nobody read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from postmortem.commands import _options
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.parsing.understanding import Understanding


@click.command("fields", short_help="How a log was understood: what read it, each name, what nobody read.")
@click.argument("log", type=click.Path())
@_options.formats
@click.option(
    "--unread",
    default=5,
    show_default=True,
    metavar="N",
    type=click.IntRange(min=0),
    help="Show the N commonest kinds of lines that nobody read.",
)
@click.option("--all", "everything", is_flag=True, help="Show all rows of each table.")
@click.option("--skeleton", is_flag=True, help="Print a dialect to begin with, for the commonest unread lines.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    log: str,
    formats: tuple[Path, ...],
    unread: int,
    everything: bool,  # noqa: FBT001 - click passes flags by name
    skeleton: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show how LOG (a file, a folder, or - for stdin) was understood, also where it is no log of a training run.

    Which pattern of which dialect read how many lines; what each printed name, setting and event became; which lines
    nobody read.
    """
    if skeleton and as_json:
        raise PostmortemError("--skeleton and --json: give one of the two")
    found = _understood(log, _options.joined(_options.configuration().formats, formats))
    if skeleton:
        click.echo(_skeleton(found[0]), nl=False)
        return
    from postmortem.report import fields

    if as_json:
        click.echo(fields.as_json(found, unread))
        return
    for place, file in enumerate(found):
        if place:
            click.echo()
        for line in fields.page(file, unread=unread, everything=everything):
            click.echo(line)


def _understood(log: str, formats: Sequence[Path]) -> list[Understanding]:
    """What became of each file that LOG stands for. PostmortemError where it cannot be read."""
    from postmortem import reading
    from postmortem.parsing import understand
    from postmortem.parsing.catalogue import catalogue

    dialects = catalogue(formats)
    files, _ = reading.sources(log, dialects)
    found = []
    for file in files:
        if file.text is not None:
            found.append(understand.of_log(file.text))
        elif file.info is not None:
            found.append(understand.of_file(file.info, {name: make() for name, make in file.frames.items()}, dialects))
    return found


def _skeleton(found: Understanding) -> str:
    from postmortem.parsing.understanding import TEXT
    from postmortem.report.skeleton import skeleton

    if found.reader != TEXT:
        raise PostmortemError(f"{found.path}: read by the reader {found.reader}; a dialect is for lines of text")
    made = skeleton(found.unread, found.path)
    if made is None:
        raise PostmortemError(
            f"{found.path}: no dialect to begin: "
            + ("no unread line holds text to know it by" if found.unread else "every line was read")
        )
    return made
