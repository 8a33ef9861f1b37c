"""`postmortem formats`: the dialects that logs are read with, one of them in full, and their proof."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options
from postmortem.errors import PostmortemError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.catalogue import Entry
    from postmortem.parsing.dialect import Dialect

_INDENT: Final = "  "


@click.group("formats", short_help="The dialects that logs are read with: list, show, test.")
def command() -> None:
    """Show the dialects that logs are read with: those that ship, of installed packages, and of your configuration."""


@command.command("list", short_help="All dialects, and where each comes from.")
@_options.formats
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(formats: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """List all dialects with the number of their line patterns and where each comes from."""
    from postmortem.report.dialect import origin
    from postmortem.report.table import table

    entries = _entries(formats)
    if as_json:
        click.echo(json.dumps([_row(entry) for entry in entries], indent=2, ensure_ascii=False))
        return
    rows = [(one.dialect.name, one.dialect.title, str(_row(one)["lines"]), origin(one)) for one in entries]
    for line in table([("name", "title", "lines", "from"), *rows]):
        click.echo(line)


@command.command("show", short_help="One dialect: its patterns with their samples.")
@click.argument("name")
@_options.formats
def show(name: str, formats: tuple[Path, ...]) -> None:
    """Show the dialect NAME: its patterns with their samples, what its counters mean, its names and placeholders."""
    from postmortem.report.dialect import page
    from postmortem.report.escape import visible

    known = {entry.dialect.name: entry for entry in _entries(formats)}
    if name not in known:
        raise PostmortemError(
            f"{name}: no such dialect{did_you_mean(name, known)}; `postmortem formats list` shows all"
        )
    for line in page(known[name]):
        click.echo(visible(line))


@command.command("test", short_help="Try every pattern on its sample.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
def test(files: tuple[Path, ...]) -> None:
    """Try every pattern of each FILE, a dialect or a folder of them, on its sample; of all dialects without FILE.

    Exit codes: 0 all hold, 1 a pattern fails, 2 a file cannot be used.
    """
    from postmortem.parsing.check import check
    from postmortem.report.escape import visible

    failures = patterns = count = 0
    broken: list[str] = []
    for spec in _loaded(files, broken):
        tried = check(spec)
        failed = [one for one in tried if one.problems]
        count, patterns, failures = count + 1, patterns + len(tried), failures + len(failed)
        click.echo(f"{'failed' if failed else 'ok':8}{visible(spec.path)}  patterns: {len(tried)}")
        for one in failed:
            click.echo(f"{_INDENT}line {_line(spec, one.place)}  {visible(one.pattern)}")
            click.echo(f"{_INDENT * 2}sample    {visible(one.sample.text)}")
            for problem in one.problems:
                click.echo(f"{_INDENT * 2}{visible(problem)}")
    click.echo(f"dialects: {count}, patterns: {patterns}, failed: {failures}")
    for error in broken:
        click.echo(f"postmortem: {error}", err=True)
    sys.exit(2 if broken else bool(failures))


def _row(entry: Entry) -> dict[str, object]:
    spec = entry.dialect
    return {
        "name": spec.name,
        "title": spec.title,
        "lines": len(spec.lines) + sum(1 + len(block.lines) for block in spec.blocks),
        "source": spec.source,
        "path": spec.path,
        "from": entry.origin,
        "replaces": entry.replaces,
    }


def _entries(formats: tuple[Path, ...]) -> list[Entry]:
    from postmortem.parsing.catalogue import entries

    return entries(_options.joined(_options.configuration().formats, formats))


def _loaded(paths: tuple[Path, ...], broken: list[str]) -> Iterator[Dialect]:
    """The dialects in these files, or all; a file that holds none goes to `broken` and the next one follows."""
    from postmortem.parsing.catalogue import files
    from postmortem.parsing.dialect import load

    if not paths:
        yield from (entry.dialect for entry in _entries(()))
    for path in paths:
        try:
            inside = files(path)
        except PostmortemError as error:
            broken.append(str(error))
            continue
        for file in inside:
            try:
                yield load(file)
            except PostmortemError as error:
                broken.append(str(error))


def _line(spec: Dialect, place: tuple[str | int, ...]) -> int:
    from postmortem.yamltext import line_of

    return line_of(Path(spec.path).read_text(encoding="utf-8"), place)
