"""The check of archived logs: what is found in each, held against a threshold, expectations and what is known."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from postmortem.archive import index, places
from postmortem.archive.judged import Judged
from postmortem.archive.key import key
from postmortem.archive.work import Outcome, judge
from postmortem.archive.workers import Processes, processes
from postmortem.check import baseline, expectations
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from postmortem.archive.places import Item
    from postmortem.archive.work import Options
    from postmortem.archive.workers import Workers
    from postmortem.rules.finding import Severity


@dataclass(slots=True)
class Check:
    """The runs of a check in the order of their names, and what else is to be said."""

    fail_on: Severity
    runs: list[Judged] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)  # files that are no logs, by reason
    notes: list[str] = field(default_factory=list)
    read: int = 0  # runs that were read, and not known from an earlier check

    @property
    def code(self) -> int:
        """2 where a run could not be judged, else 1 where a finding counts or an expectation is broken, else 0."""
        return max((run.code(self.fail_on) for run in self.runs), default=2)


@dataclass(frozen=True, slots=True)
class Request:
    """What to check, and how."""

    paths: Sequence[str]
    options: Options
    fail_on: Severity = "medium"
    expected: Path | None = None
    known: Path | None = None  # a baseline
    index: Path | None = None
    rehash: bool = False
    exclude: Sequence[str] = ()
    per_folder: bool = False
    allow_unreadable: bool = False
    jobs: int = 0  # 0: as many as there are processors


def check(
    request: Request,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    workers: Workers | None = None,
) -> Check:
    """Judge what has changed since the last check, and hold all of it against what is expected and known.

    `workers` None: processes, as many as the request says.

    PostmortemError where nothing is found, and for files and options that cannot be used.
    """
    rules = _rules(request)
    expected = expectations.load(request.expected, rules) if request.expected else None
    known = baseline.load(request.known, rules) if request.known else None
    found = places.find(request.paths, exclude=request.exclude, per_folder=request.per_folder)
    result = Check(request.fail_on, passed_over=found.passed_over)
    allowed = request.allow_unreadable
    for item, outcome, new in _outcomes(request, found.items, workers, progress):
        if outcome.passed_over:
            result.passed_over[outcome.passed_over] += len(item.files)
        else:
            result.read += new
            judged = Judged(name=item.name, incident=outcome.incident, problem=outcome.problem, allowed=allowed)
            result.runs.append(judged)
    if not result.runs:
        others = sum(result.passed_over.values())
        raise PostmortemError(f"{', '.join(request.paths)}: no log found among {others:,} files; check the path")
    result.runs.sort(key=lambda run: run.name)
    if known and request.known:
        today = dt.datetime.now().date()  # noqa: DTZ005 - the day where the user is
        result.notes += baseline.hold(known, request.known.parent, result.runs, today)
    if expected and request.expected:
        for name in expectations.hold(expected, request.expected.parent, result.runs):
            result.runs += _missing(name, request)
    return result


def _rules(request: Request) -> list[str]:
    """The ids of all rules, where a file names some."""
    if request.expected is None and request.known is None:
        return []
    from postmortem import plugins
    from postmortem.rules.rule import SHIPPED

    folders = [SHIPPED, *plugins.folders("postmortem.rules"), *request.options.rules]
    return [
        path.relative_to(folder).with_suffix("").as_posix() for folder in folders for path in folder.rglob("*.yaml")
    ]


def _outcomes(
    request: Request, items: Sequence[Item], workers: Workers | None, progress: Callable[[int, int], None]
) -> Iterator[tuple[Item, Outcome, bool]]:
    """Each item with its outcome, and whether it was read: what is known first, then the others as they are done."""
    with index.opened(request.index, key(request.options), rehash=request.rehash) as kept:
        changed = []
        for item in items:
            outcome = kept.known(item)
            if outcome is None:
                changed.append(item)
            else:
                yield item, outcome, False
        if not changed:
            return
        workers = workers or Processes(min(processes(request.jobs), len(changed)))
        for number, done in enumerate(workers.run(partial(judge, options=request.options), changed), 1):
            outcome = done.result or Outcome(problem=f"{done.task.name}: {done.lost}")
            if done.result is not None:
                kept.keep(done.task, outcome)
            progress(number, len(changed))
            yield done.task, outcome, True


def _missing(name: str, request: Request) -> list[Judged]:
    """A log that is expected and was not found, if it belongs to what is checked."""
    assert request.expected is not None  # noqa: S101 - for the type checker: its names come from there
    path = os.path.abspath(request.expected.parent / name)  # noqa: PTH100 - as the paths below
    roots = [os.path.abspath(root) for root in request.paths if not places.is_url(root)]  # noqa: PTH100
    if not any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots):
        return []
    return [Judged(name=str(request.expected.parent / name), problem=f"{name}: expected, and not found")]
