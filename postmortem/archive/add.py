"""Logs into an archive: what it does not hold yet is judged by workers, a batch at a time, and nothing else is read."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final

from postmortem.archive import places, store
from postmortem.archive.index import place
from postmortem.archive.key import key
from postmortem.archive.store import Batch, Report
from postmortem.archive.work import Options, Outcome
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from postmortem.archive.places import Item
    from postmortem.archive.workers import Done, Workers

#: A batch is as many runs as a worker judges in some seconds: what is lost with a worker, and the frames that it holds.
_RUNS: Final = 16
_BYTES: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Addition:
    """What to add to which archive."""

    store: Path
    paths: Sequence[str]
    options: Options = field(default_factory=Options)
    exclude: Sequence[str] = ()
    per_folder: bool = False
    rejudge: bool = False  # also what other rules judged, and what could not be judged


@dataclass(slots=True)
class Added:
    """What an addition did."""

    report: Report = field(default_factory=Report)
    unchanged: int = 0  # runs whose files are as the archive met them last
    still_unjudged: int = 0  # of those, what could not be judged then
    passed_over: int = 0  # files that are no logs by their names


def add(addition: Addition, workers: Workers, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Added:
    """Judge and keep what is new. Cut off anywhere and begun again, it goes on: nothing is lost, nothing there twice.

    PostmortemError where nothing is found, and for a folder that is no archive.
    """
    found = places.find(addition.paths, exclude=addition.exclude, per_folder=addition.per_folder)
    if not found.items:
        others = sum(found.passed_over.values())
        raise PostmortemError(f"{', '.join(addition.paths)}: no log found among {others:,} files; check the path")
    added = Added(passed_over=sum(found.passed_over.values()))
    with store.adding(addition.store):
        judged_by = key(addition.options)
        new = list(_new(addition, found.items, judged_by, added))
        maker = Batch(addition.store, (), addition.options, judged_by, _now(), addition.rejudge)
        done = 0
        for finished in _finished(workers, _batches(maker, new)):
            done += len(finished.task.items)
            progress(done, len(new))
            added.report = added.report.plus(finished.result or Report())
    return added


def _new(addition: Addition, items: Iterable[Item], judged_by: str, added: Added) -> Iterator[Item]:
    """The items that the archive has not met as they are now; the others are counted."""
    from postmortem.archive.database import seen

    known = seen(addition.store)
    for item in items:
        files, by, judged = known.get(place(item), ("", "", False))
        stale = addition.rejudge and (by != judged_by or not judged)
        if stale or files != json.dumps([asdict(file) for file in item.files]):
            yield item
        else:
            added.unchanged += 1
            added.still_unjudged += not judged


def _batches(maker: Batch, items: Iterable[Item]) -> Iterator[Batch]:
    held: list[Item] = []
    for item in items:
        if held and (len(held) == _RUNS or sum(one.size for one in held) + item.size > _BYTES):
            yield replace(maker, items=tuple(held))
            held = []
        held.append(item)
    if held:
        yield replace(maker, items=tuple(held))


def _finished(workers: Workers, batches: Iterable[Batch]) -> Iterator[Done[Batch, Report]]:
    """All batches, done. One that costs workers their lives is taken apart: only the log that does it is given up."""
    again: list[Batch] = []
    for done in workers.run(store.work, batches):
        if done.result is None:
            again += [replace(done.task, items=(item,)) for item in done.task.items]
        else:
            yield done
    for done in workers.run(store.work, again) if again else ():
        if done.result is None:
            item = done.task.items[0]
            lost = Outcome(problem=f"{item.name}: {done.lost}", digest=store.nameless(item))
            yield replace(done, result=store.write(done.task, [(item, lost, None)]))
        else:
            yield done


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
