"""`postmortem archive`: many runs kept as Parquet, and what can be asked of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options, _outputs
from postmortem.report.answers import ANSWERS

if TYPE_CHECKING:
    from postmortem.archive.workers import Workers
    from postmortem.report.answers import Answer

#: Problems that are told one by one.
_MOST: Final = 20
_STORE: Final = click.argument("store", type=click.Path(path_type=Path))


@click.group("archive", short_help="Keep many runs, and ask them: causes, GPU hours, nodes.")
def command() -> None:
    """Keep runs and their frames as Parquet files, and ask them: causes, GPU hours, users, nodes."""


@command.command("add", short_help="Judge logs and keep them.")
@_STORE
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Files below a folder to leave out, as *.err.")
@click.option("--per-folder", is_flag=True, help="Each folder PATH is one run, as for analyze.")
@click.option("--rejudge", is_flag=True, help="Judge again what other rules judged, or what could not be judged.")
@click.option("--allow-unreadable", is_flag=True, help="Exit with 0 although logs could not be judged.")
@click.option("-j", "--jobs", default=0, type=click.IntRange(0), help="Processes.  [default: one per processor]")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster: tcp://HOST:PORT, or slurm:JOBS.")
@_options.rules
@_options.formats
def add(
    store: Path,
    paths: tuple[str, ...],
    exclude: tuple[str, ...],
    per_folder: bool,  # noqa: FBT001 - click passes flags by name
    rejudge: bool,  # noqa: FBT001
    allow_unreadable: bool,  # noqa: FBT001
    jobs: int,
    scheduler: str | None,
    rule_folders: tuple[Path, ...],
    formats: tuple[Path, ...],
) -> None:
    """Judge the logs at each PATH by laws alone and keep them in STORE, a folder, made where there is none.

    What STORE holds already is not read again; cut off, the same command goes on where it was. A scheduler's table
    (sacct) among the logs gives their jobs' times, GPUs, users and nodes.

    Exit codes: 0 all judged, 2 a log could not be.
    """
    from postmortem.archive import add as adding
    from postmortem.archive.work import Options

    configuration = _options.configuration()
    options = Options(
        rules=tuple(_options.joined(configuration.rules, rule_folders)),
        formats=tuple(_options.joined(configuration.formats, formats)),
        configuration=configuration,
    )
    addition = adding.Addition(
        store.absolute(), paths, options, exclude=exclude, per_folder=per_folder, rejudge=rejudge
    )
    added = adding.add(addition, _workers(jobs, scheduler), _options.progress)
    report = added.report
    unjudged = len(report.problems) + added.still_unjudged
    click.echo(
        f"{store}: {report.judged:,} runs judged, {added.unchanged:,} unchanged, {report.copies:,} copies, "
        f"{unjudged:,} not judged, {report.passed_over + added.passed_over:,} files passed over"
    )
    for problem in report.problems[:_MOST]:
        click.echo(f"postmortem: {' '.join(problem.splitlines())}", err=True)
    if unjudged > min(len(report.problems), _MOST):
        click.echo(f"postmortem: {unjudged:,} logs not judged in all: archive query {store} unjudged", err=True)
    sys.exit(2 if unjudged and not allow_unreadable else 0)


@command.command("query", short_help="Ask: a named question, or SQL.")
@_STORE
@click.argument("question", required=False)
@_outputs.options(ANSWERS)
@click.option("-v", "--verbose", is_flag=True, help="Show all rows.")
def query(
    store: Path,
    question: str | None,
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    verbose: bool,  # noqa: FBT001
) -> None:
    """Ask STORE a QUESTION: one that has a name, or one SELECT over its tables. Without one, the names are listed.

    Tables: runs, findings, verdicts, jobs, costs, run_jobs, run_nodes, metrics, tensors, events, settings.
    """
    from postmortem.archive import questions

    if question is None:
        for name in questions.names():
            one = questions.load(name)
            click.echo(f"{name:12} {one.title}. {one.about}")
        return
    wanted = _outputs.pairs(ANSWERS, forms, outputs)
    _outputs.emit(ANSWERS, wanted, _answers(store, [question]), verbose=verbose)


@command.command("report", short_help="All named questions as one report.")
@_STORE
@_outputs.options(ANSWERS)
@click.option("-v", "--verbose", is_flag=True, help="Show all rows.")
def report(
    store: Path,
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    verbose: bool,  # noqa: FBT001
) -> None:
    """Answer all named questions: runs by cause, GPU hours, causes over time, users, partitions, nodes, rules."""
    from postmortem.archive import questions

    wanted = _outputs.pairs(ANSWERS, forms, outputs)
    _outputs.emit(ANSWERS, wanted, _answers(store, questions.names()), verbose=verbose)


def _answers(store: Path, asked: list[str]) -> list[Answer]:
    from postmortem.archive import questions
    from postmortem.archive.database import Database
    from postmortem.report.answers import Answer

    with Database(store) as database:
        answers = []
        for one in asked:
            if len(one.split()) == 1:
                named = questions.load(one)
                answers.append(Answer(named.name, named.title, named.about, database.ask(named.query)))
            else:
                answers.append(Answer("rows", "", "", database.ask(one)))
        return answers


def _workers(jobs: int, scheduler: str | None) -> Workers:
    from postmortem.archive.workers import Cluster, Processes, processes

    return Cluster(scheduler) if scheduler else Processes(processes(jobs))
