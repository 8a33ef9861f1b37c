"""`postmortem frames`: the five tables that a log is read into, to look at or as files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    import polars as pl

_NAMES: Final = ("metrics", "tensors", "events", "settings", "jobs")
_SLOT: Final = "{frame}"
_ROWS: Final = 10


@click.command("frames", short_help="The tables that a log is read into, as Parquet, Arrow, CSV or JSON.")
@click.argument("log", type=click.Path())
@click.option("--frame", "name", type=click.Choice(_NAMES), help="This frame alone.")
@_options.formats
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write to FILE: .parquet, .arrow, .csv, .json, .jsonl. A folder, or {frame} in the name, takes all frames.",
)
def command(log: str, name: str | None, formats: tuple[Path, ...], output: str | None) -> None:
    """Read LOG (a file, or - for stdin) into frames: metrics, tensors, events, settings, jobs.

    Without -o a terminal shows the first rows; elsewhere the frame is printed as CSV.

    In a folder the files are Parquet. nan and inf survive in each format; in JSON they are strings. In CSV a text that
    begins like a formula (= + - @, tab, CR) gets a ' in front, so that no spreadsheet runs it.
    """
    from postmortem import reading

    screen = output is None and sys.stdout.isatty()
    names = [name] if name else list(_NAMES)
    if output is None and not screen and name is None:
        raise PostmortemError(f"which frame? Add --frame with one of {', '.join(_NAMES)}, or -o FOLDER for all")
    targets = _targets(output, names) if output is not None else []
    run = reading.read(log, formats=_options.joined(_options.configuration().formats, formats))
    frames = run.frames()
    if output is not None:
        from postmortem import export

        for frame, path in zip(names, targets, strict=True):
            export.write(frames[frame], path)
            click.echo(f"{path}: {frames[frame].height:,} rows of {frame}")
    elif screen:
        _show({frame: frames[frame] for frame in names})
    else:
        from postmortem import export

        export.csv(frames[names[0]], sys.stdout.buffer)


def _targets(output: str, names: list[str]) -> list[Path]:
    """A file for each frame. PostmortemError before anything is read, where there are too few or of no known format."""
    from postmortem import export

    path = Path(output)
    if _SLOT not in output and (path.is_dir() or output.endswith("/") or not path.suffix):
        output = str(path / f"{_SLOT}.parquet")
    if _SLOT not in output and len(names) > 1:
        raise PostmortemError(
            f"-o {output}: one file for {len(names)} frames; add --frame NAME, or write {_SLOT} in it"
        )
    targets = [Path(output.replace(_SLOT, name)) for name in names]
    export.writer_of(targets[0])
    return targets


def _show(frames: dict[str, pl.DataFrame]) -> None:
    from postmortem.report.table import brief

    width = shutil.get_terminal_size().columns
    for i, (name, frame) in enumerate(frames.items()):
        if i:
            click.echo()
        for line in brief(name, frame, rows=_ROWS, width=width):
            click.echo(line)
