"""One run judged, in a process of its own: whatever its log does, an outcome comes back."""

from __future__ import annotations

import gc
import hashlib
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postmortem.errors import NoLogError, PostmortemError
from postmortem.sources.stream import sha256

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from postmortem.archive.places import Item
    from postmortem.config import Config
    from postmortem.incident import Incident
    from postmortem.run import Run

#: A worker lives long and makes little garbage.
_THRESHOLDS: Final = (100_000, 50, 100)


@dataclass(frozen=True, slots=True)
class Options:
    """What runs are judged by, besides what ships."""

    rules: tuple[Path, ...] = ()
    formats: tuple[Path, ...] = ()
    configuration: Config | None = None  # what it selects, ignores and sets


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: one of incident, problem, passed_over and known."""

    incident: Incident | None = None
    problem: str | None = None  # why it could not be judged
    passed_over: str | None = None  # why it is no log: found in a folder, and not named by the user
    digest: str = ""  # of the contents of its files
    known: bool = False  # its digest is among those that need not be judged again


def warm() -> None:
    """What every judgement needs, imported before the first one."""
    gc.set_threshold(*_THRESHOLDS)
    import postmortem.analysis
    import postmortem.parsing.dialects

    postmortem.parsing.dialects.shipped()


def judge(item: Item, options: Options) -> Outcome:
    """The outcome of a run, by laws alone. It raises nothing."""
    return judge_with_run(item, options)[0]


def judge_with_run(item: Item, options: Options, known: Container[str] = frozenset()) -> tuple[Outcome, Run | None]:
    """The outcome, and the frames where there is an incident. What has a `known` digest is not judged."""
    digest = ""
    try:
        with _here(item) as paths:
            digest = digest_of(paths)
            if digest in known:
                return Outcome(digest=digest, known=True), None
            if reason := _no_log(item, paths):
                return Outcome(passed_over=reason, digest=digest), None
            return _judged(item, paths, options, digest)
    except PostmortemError as error:
        return Outcome(problem=str(error), digest=digest), None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a bad log never stops the others; a panic of polars is no Exception
        reason = " ".join(str(error).split())[:400]
        return Outcome(problem=f"{item.name}: broke the program: {type(error).__name__}: {reason}", digest=digest), None


def digest_of(paths: Mapping[str, Path]) -> str:
    """The digest of the contents of files, in their order. PostmortemError for one that cannot be opened."""
    whole = hashlib.sha256()
    for path in paths.values():
        whole.update(bytes.fromhex(sha256(str(path))))
    return whole.hexdigest()


def _judged(item: Item, paths: Mapping[str, Path], options: Options, digest: str) -> tuple[Outcome, Run | None]:
    from postmortem.analysis import analyze

    files = list(paths.values())
    log = item.name if item.folder else str(files[0]) if len(files) == 1 else files
    try:
        incident, run = analyze(
            log,
            replay=False,
            rule_folders=options.rules,
            formats=options.formats,
            configuration=options.configuration,
        )
    except NoLogError as error:
        from postmortem.sources.folder import is_log_by_name

        if item.named or any(is_log_by_name(path) for path in files):
            raise
        return Outcome(passed_over=str(error).partition(": ")[2].partition(":")[0], digest=digest), None
    names = {str(path): name for name, path in paths.items() if str(path) != name}
    if not names:
        return Outcome(incident, digest=digest), run
    return Outcome(_renamed(incident, names), digest=digest), _renamed_run(run, names)


def _no_log(item: Item, paths: Mapping[str, Path]) -> str | None:
    """Why a file that a search met is no log. What the user named is taken for one."""
    if item.named:
        return None
    from postmortem.sources.folder import no_log

    reasons = [no_log(path) for path in paths.values()]
    return next((reason for reason in reasons if reason), None) if all(reasons) else None


@contextmanager
def _here(item: Item) -> Iterator[dict[str, Path]]:
    """The files of a run by their names, those of a store fetched for as long as they are needed."""
    if not any(file.remote for file in item.files):
        yield {file.path: Path(file.path) for file in item.files}
        return
    from postmortem.archive.places import fetch

    with tempfile.TemporaryDirectory(prefix="postmortem-") as folder:
        yield {file.path: fetch(file, Path(folder)) for file in item.files}


def _renamed(incident: Incident, names: Mapping[str, str]) -> Incident:
    """The incident with files called as the user knows them."""

    def name(record: Any, key: str) -> Any:  # noqa: ANN401 - a record of an incident
        return record.model_copy(update={key: names.get(getattr(record, key), getattr(record, key))})

    findings = [
        finding.model_copy(update={"evidence": [name(piece, "file") for piece in finding.evidence]})
        for finding in incident.findings
    ]
    update = {
        "logs": [name(log, "path") for log in incident.logs],
        "left_out": [name(left, "path") for left in incident.left_out],
        "findings": findings,
    }
    return incident.model_copy(update=update)


def _renamed_run(run: Run, names: Mapping[str, str]) -> Run:
    """The run with files called as the user knows them, in each frame when it is asked for."""
    import polars as pl

    from postmortem import frames
    from postmortem.run import Run

    def renamed(name: str) -> pl.DataFrame:
        return run.frames()[name].with_columns(pl.col("file").replace(names))

    return Run({name: partial(renamed, name) for name in frames.FRAMES}, run.logs)
