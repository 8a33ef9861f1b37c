"""An archive on disk: a folder of parts, each a folder with one Parquet file a table, that appears whole or not at all.

A part is written beside its place and renamed into it. Its name says what is in it, so that a batch that is done twice,
by a worker that was thought dead, is there once. Nothing else is kept: which logs are known stands in the parts.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from postmortem.archive.work import Options, Outcome, judge_with_run
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from postmortem.archive.places import Item
    from postmortem.run import Run

#: What says that a folder is an archive, and of which form.
_MARK: Final = "postmortem-archive.json"
_FORM: Final = {"postmortem_archive": 1}


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that one worker judges and writes as one part."""

    store: Path
    items: tuple[Item, ...]
    options: Options
    key: str
    begun: dt.datetime  # of the whole addition, UTC: its parts say so
    rejudge: bool = False

    @property
    def name(self) -> str:
        """The part's name: what is in it, and by what it was judged."""
        whole = json.dumps([[item.name, [asdict(file) for file in item.files]] for item in self.items])
        rejudged = self.begun.isoformat() if self.rejudge else ""
        return hashlib.sha256(f"{self.key} {rejudged} {whole}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the items of a batch."""

    judged: int = 0
    copies: int = 0  # of what the archive holds already
    passed_over: int = 0
    problems: tuple[str, ...] = ()

    def plus(self, other: Report) -> Report:
        """Both together."""
        return Report(
            self.judged + other.judged,
            self.copies + other.copies,
            self.passed_over + other.passed_over,
            self.problems + other.problems,
        )


def parts(store: Path) -> Path:
    """The folder of the parts. PostmortemError where there is no archive."""
    if not (store / _MARK).is_file():
        raise PostmortemError(f"{store}: no archive; `postmortem archive add {store} LOGS` makes one")
    return store / "parts"


@contextmanager
def adding(store: Path) -> Iterator[None]:
    """The archive to oneself, made where there is none, without what an addition that was cut off left behind.

    PostmortemError for a folder that holds something else, and while another addition is at work.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        if not (store / _MARK).exists():
            if any(store.iterdir()):
                raise PostmortemError(f"{store}: neither empty nor an archive; name another folder")
            (store / _MARK).write_text(json.dumps(_FORM) + "\n", encoding="utf-8")
        (store / "parts").mkdir(exist_ok=True)
        lock = (store / ".lock").open("w")
    except OSError as error:
        raise PostmortemError(f"{store}: no archive can be made there: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PostmortemError(f"{store}: another `archive add` is at work there; wait for its end") from None
        for left in (store / "parts").glob(".*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def work(batch: Batch) -> Report:
    """Judge the runs of a batch and write them: in a worker. Done before, it is read and not done again."""
    return write(batch, _results(batch))


def _results(batch: Batch) -> Iterator[tuple[Item, Outcome, Run | None]]:
    known = set() if batch.rejudge else set(_known(batch.store, batch.begun))
    for item in batch.items:
        outcome, run = judge_with_run(item, batch.options, known)
        if not outcome.digest:
            outcome = replace(outcome, digest=nameless(item))
        known.add(outcome.digest)
        yield item, outcome, run


def nameless(item: Item) -> str:
    """A digest for a run that could not be opened: nothing but its name tells it from others."""
    return hashlib.sha256(f"unopened {item.name}".encode()).hexdigest()


@lru_cache(maxsize=1)
def _known(store: Path, begun: dt.datetime) -> frozenset[str]:
    """The runs that an archive held when an addition began, or when this worker first asked."""
    del begun  # it tells this addition from others
    from postmortem.archive.database import digests

    return digests(store)


def write(batch: Batch, results: Iterable[tuple[Item, Outcome, Run | None]]) -> Report:
    """Write outcomes as the batch's part, unless it is there. PostmortemError where there is no room."""
    target = parts(batch.store) / batch.name
    if target.is_dir():
        return _held(target)
    folder = Path(tempfile.mkdtemp(prefix=f".{batch.name}-", dir=target.parent))
    try:
        report = _fill(folder, batch, results)
        os.replace(folder, target)  # noqa: PTH105 - a Path would say the same in more words
    except OSError as error:
        if target.is_dir():  # another worker was quicker
            return _held(target)
        raise PostmortemError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _held(part: Path) -> Report:
    """What became of the items of a part that is there: who wrote it may have died before it could say so."""
    import polars as pl

    kept = pl.read_parquet(part / "kept.parquet", columns=["problem"])["problem"]
    passed_over = pl.read_parquet(part / "seen.parquet", columns=["passed_over"])["passed_over"]
    copies = passed_over.null_count() - len(kept)
    return Report(kept.null_count(), copies, len(passed_over) - passed_over.null_count(), tuple(kept.drop_nulls()))


def _fill(folder: Path, batch: Batch, results: Iterable[tuple[Item, Outcome, Run | None]]) -> Report:
    import polars as pl

    from postmortem.archive import tables

    report = Report()
    held: dict[str, list[pl.DataFrame]] = {name: [] for name in tables.names()}
    for item, outcome, run in results:
        for name, rows in tables.rows(item, outcome, run, batch.key, batch.begun):
            frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema=tables.schema(name))
            if frame.height:
                held[name].append(frame)
        report = report.plus(_told(outcome))
    for name, collected in held.items():
        whole = pl.concat(collected) if collected else pl.DataFrame(schema=tables.schema(name))
        if collected or name in {"seen", "kept"}:
            whole.write_parquet(folder / f"{name}.parquet")
    return report


def _told(outcome: Outcome) -> Report:
    if outcome.passed_over:
        return Report(passed_over=1)
    if outcome.known:
        return Report(copies=1)
    return Report(problems=(outcome.problem,)) if outcome.problem else Report(judged=1)
