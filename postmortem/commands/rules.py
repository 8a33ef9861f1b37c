"""`postmortem rules`: the rules that logs are judged by, one of them in full, their proof, and a new one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options, _rules
from postmortem.errors import PostmortemError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.rules.catalogue import Entry
    from postmortem.rules.check import Problem
    from postmortem.rules.rule import Rule

_INDENT: Final = "  "
_COLUMNS: Final = ("id", "title", "role", "severity", "confidence", "from")
_TITLE: Final = 60  # characters of a title in the list
#: The id of a new rule: a folder and a file in it, whatever the file system.
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")
#: Where a new rule goes if the configuration names no folder.
_FOLDER: Final = Path("rules")


@click.group("rules", short_help="The rules that logs are judged by: list, show, test, new.")
def command() -> None:
    """Show the rules that logs are judged by: those that ship, of installed packages, and of your configuration."""


@command.command("list", short_help="All rules, and where each comes from.")
@click.argument("family", required=False)
@_options.rules
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(family: str | None, rule_folders: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes flags by name
    """List all rules, or those of one FAMILY, such as amp: what each finds, and where it comes from."""
    from postmortem.report.escape import cut, visible
    from postmortem.report.table import table

    entries, errors = _rules.entries(rule_folders)
    if family is not None:
        families = sorted({_family(entry) for entry in entries})
        if family not in families:
            raise PostmortemError(
                f"{family}: no such family of rules{did_you_mean(family, families)}; there are {', '.join(families)}"
            )
        entries = [entry for entry in entries if _family(entry) == family]
    rows = [_row(entry) for entry in sorted(entries, key=lambda entry: entry.rule.id)]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        short = [row | {"title": cut(visible(row["title"]), _TITLE)} for row in rows]
        for line in table([_COLUMNS, *(tuple(row[column] for column in _COLUMNS) for row in short)]):
            click.echo(line)
    _rules.complain(errors)


@command.command("show", short_help="One rule in full: its page, its query, and its logs.")
@click.argument("rule_id", metavar="ID")
@_options.rules
def show(rule_id: str, rule_folders: tuple[Path, ...]) -> None:
    """Show the rule ID, such as amp/scaler-startup: what `postmortem explain` says, its query, and all of its logs."""
    _rules.show(rule_id, rule_folders, whole=True)


@command.command("test", short_help="Try every rule on its own logs.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@_options.formats
def test(files: tuple[Path, ...], formats: tuple[Path, ...]) -> None:
    """Try the rule of each FILE, or those of a folder, on the logs in it; all rules without FILE.

    A log under `fires` must give evidence on just the lines it names, one under `near` or `quiet` none.

    Exit codes: 0 all hold, 1 a log is judged otherwise, 2 a file cannot be used.
    """
    from postmortem.report.escape import visible
    from postmortem.rules.check import cases, check

    formats = tuple(_options.joined(_options.configuration().formats, formats))
    broken: list[str] = []
    rules, known = _chosen(files, broken)
    logs = failed = 0
    for rule in rules:
        problems = check(rule, known, formats)
        logs, failed = logs + len(cases(rule)), failed + bool(problems)
        click.echo(f"{'failed' if problems else 'ok':8}{visible(str(rule.path))}  logs: {len(cases(rule))}")
        for line in _problems(rule, problems):
            click.echo(visible(line))
    click.echo(f"rules: {len(rules)}, logs: {logs}, failed: {failed}")
    for error in broken:
        click.echo(f"postmortem: {error}", err=True)
    sys.exit(2 if broken else bool(failed))


@command.command("new", short_help="Begin a rule of your own.")
@click.argument("rule_id", metavar="ID")
@click.option(
    "--rules",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder of rules to write to.  [default: the first of the configuration, else rules/]",
)
def new(rule_id: str, folder: Path | None) -> None:
    """Write a rule to begin with as FAMILY/NAME.yaml below a folder of rules: complete, explained, and proved.

    ID is FAMILY/NAME, such as mine/loss-too-high. A file that exists is left alone.
    """
    from importlib.resources import files

    if not _ID.fullmatch(rule_id):
        raise PostmortemError(f"{rule_id}: no id of a rule; write FAMILY/NAME in small letters, digits, - and _")
    configured = _options.configuration().rules
    entries, _ = _rules.entries([folder] if folder is not None and folder.is_dir() else [])
    for entry in entries:
        if entry.rule.id == rule_id:
            raise PostmortemError(f"{rule_id}: exists already ({entry.origin}); choose another name")
    folder = folder or next(iter(configured), _FOLDER)
    path = folder / f"{rule_id}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(files("postmortem.rules").joinpath("starter.yaml").read_text(encoding="utf-8"))
    except FileExistsError:
        raise PostmortemError(f"{path}: exists already; choose another name, or remove it") from None
    except OSError as error:
        raise PostmortemError(f"{path}: cannot be written: {error.strerror}") from None
    click.echo(f"{path}: written. Edit it, and prove it: postmortem rules test {path}")
    if folder.resolve() not in {place.resolve() for place in configured}:
        click.echo(f'To judge by it: --rules {folder}, or rules = ["{folder}"] in postmortem.toml')


def _row(entry: Entry) -> dict[str, str]:
    rule = entry.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "role": rule.role,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "from": entry.origin,
        "path": str(rule.path),
    }


def _family(entry: Entry) -> str:
    return entry.rule.id.partition("/")[0]


def _chosen(paths: tuple[Path, ...], broken: list[str]) -> tuple[list[Rule], set[str]]:
    """The rules in these files, or all, and the ids that they may refer to; what holds no rule goes to `broken`."""
    from postmortem.rules import catalogue
    from postmortem.rules.rule import load

    entries, errors = _rules.entries(())
    known = {entry.rule.id: entry.rule.path.resolve() for entry in entries}
    if not paths:
        broken += errors
        return [entry.rule for entry in entries], set(known)
    rules: list[Rule] = []
    for path in paths:
        try:
            inside = catalogue.files(path)
        except PostmortemError as error:
            broken.append(str(error))
            continue
        for file, root in inside:
            try:
                rules.append(load(file, root))
            except PostmortemError as error:
                broken.append(str(error))
    broken += [
        f"{rule.path}:1: rule {rule.id} exists already; give it another name"
        for rule in rules
        if known.get(rule.id, rule.path.resolve()) != rule.path.resolve()
    ]
    return rules, {*known, *(rule.id for rule in rules), *_beside(rules)}


def _beside(rules: list[Rule]) -> set[str]:
    """The ids of what lies in the folders beside these rules, which they may refer to wherever they are tried alone."""
    roots = {rule.path.resolve().parent.parent for rule in rules}
    return {f"{file.parent.name}/{file.stem}" for root in roots for file in root.glob("*/*.yaml")}


def _problems(rule: Rule, problems: list[Problem]) -> Iterator[str]:
    """What does not hold of a rule, with its lines in the file."""
    from postmortem.yamltext import line_of

    text = rule.path.read_text(encoding="utf-8") if problems else ""
    for problem in problems:
        where = " ".join(str(part + 1) if isinstance(part, int) else part for part in problem.place)
        yield f"{_INDENT}line {line_of(text, problem.place)}  {where.removeprefix('tests ')}: {problem.text}"
    if not rule.tests.near:
        yield f"{_INDENT}no near miss: a log that almost fires it would prove where its edge is"
