"""Which files of a folder belong to one run: its logs, tables and event files, each with the rank in its name.

What is left out is told with the reason: checkpoints, code, pictures, files that are no log by their name.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import yaml

from postmortem.errors import PostmortemError
from postmortem.readers import find
from postmortem.readers._lines import HEAD
from postmortem.sources.file_names import job_in, rank_in, unpacked
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Folders below the one that was given.
DEEPEST: Final = 4
MOST_FILES: Final = 2_000
_LOGS: Final = re.compile(r"(?i)\.(?:out|err|log|stdout|stderr|[oe][0-9]+)$|(?:^|[._-])log\.txt\.rank[0-9]+$")
#: A text file is a log if its name says so.
_TEXTS: Final = re.compile(
    r"(?i)(?:^|[._-])(?:logs?|out|output|err|stdout|stderr|console|train|training|nohup)[._0-9-]*\.txt$"
)
_TABLES: Final = re.compile(r"(?i)^(?:sacct|seff|scontrol)(?:[._-].*)?(?:\.(?:txt|out|log|csv|json))?$")
#: What is no log by its name: `folder.yaml`.
_DATA: Final = yaml.safe_load((Path(__file__).parent / "folder.yaml").read_text(encoding="utf-8"))
SKIPPED: Final = frozenset(_DATA["skipped"])
_LEFT_OUT: Final = {suffix: reason for reason, suffixes in _DATA["left_out"].items() for suffix in suffixes}
#: In this order the parts are read, and their lines are numbered through: how a run ended stands behind its course.
_ORDER: Final = (
    "trainer_state",
    "history",
    "json_lines",
    "json_list",
    "columns",
    "delimited",
    "event_file",
    "wandb_run",
    "text",
    "sacct",
    "sacct_json",
    "seff",
    "scontrol",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a run. `kind` is `text` or the name of the reader for it; `rank` is that in its name."""

    path: Path
    rank: int | None
    kind: str
    job: str | None = None  # the job id in its name


@dataclass(slots=True)
class Folder:
    """The files of a folder: the parts of the run, in the order to read them, and the rest with the reason."""

    parts: list[Part] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def gather(folder: Path) -> list[Part]:
    """The parts of the run in a folder, in the order to read them: histories, logs by rank, .out before .err, accounts.

    PostmortemError where there is none, where the files are of several jobs, and where there are too many.
    """
    return survey(folder).parts


def survey(folder: Path) -> Folder:
    """As `gather`, with what was left out and why."""
    found = Folder()
    for path in _walk(folder, found):
        _sort_out(path, folder, found)
    if not found.parts:
        raise PostmortemError(
            f"{folder}: no log among its {len(found.left_out):,} files (.out, .err, .log, csv, jsonl, event files); "
            "name the log itself"
        )
    _refuse_several(folder, found.parts)
    found.parts.sort(key=_order)
    return found


def chosen(files: Sequence[Path]) -> Folder:
    """As `survey`, of these files of one run, in their order. PostmortemError where none of them is a log."""
    found = Folder()
    for path in files:
        _sort_out(path, path.parent.parent.parent, found)
    if not found.parts:
        raise PostmortemError(f"{files[0]}: {found.left_out[0][1]}, there is nothing to judge")
    return found


def is_log_by_name(path: Path) -> bool:
    """Whether a file's name says that it is a text log or a scheduler's account."""
    name = unpacked(path).name
    return bool(_LOGS.search(name) or _TEXTS.search(name) or _TABLES.search(name))


def no_log(path: Path) -> str | None:
    """Why a file is no log, neither by its name nor by what it begins with; None for one that may be."""
    found = Folder()
    return None if is_log_by_name(path) or _kind(path, found) else found.left_out[0][1]


def _sort_out(path: Path, root: Path, found: Folder) -> None:
    """A file to the parts, or to what is left out."""
    reason = no_part(path)
    kind = None if reason else _kind(path, found)
    if reason:
        found.left_out.append((path, reason))
    elif kind:
        found.parts.append(Part(path, rank_in(path.relative_to(root)), kind, job_in(path)))


def _walk(folder: Path, found: Folder) -> Iterator[Path]:
    """Files, a folder's own before those below it. Links are not followed: they may lead round in a circle."""
    if not folder.is_dir():
        raise PostmortemError(f"{folder}: no such folder; check the path")
    seen = 0
    todo = [(folder, 0)]
    while todo:
        here, depth = todo.pop(0)
        try:
            entries = sorted(os.scandir(here), key=lambda entry: _natural(entry.name))
        except OSError as error:
            found.left_out.append((here, f"a folder that cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            path = Path(entry.path)
            if reason := _not_followed(entry, depth):
                found.left_out.append((path, reason))
            elif entry.is_dir():
                todo.append((path, depth + 1))
            else:
                seen += 1
                if seen > MOST_FILES:
                    raise PostmortemError(
                        f"{folder}: more than {MOST_FILES:,} files; name the folder of one run, or its logs"
                    )
                yield path


def _not_followed(entry: os.DirEntry[str], depth: int) -> str | None:
    """Why an entry of a folder is neither read nor walked through."""
    if entry.is_symlink():
        return "a link"
    if entry.is_dir():
        if entry.name.startswith(".") or entry.name in SKIPPED:
            return "a hidden folder or one of code"
        return f"more than {DEEPEST} folders deep" if depth == DEEPEST else None
    return None if entry.is_file() else "no file"


def no_part(path: PurePath) -> str | None:
    """Why a file is no part of a run, as far as its name tells."""
    if path.name.startswith("."):
        return "a hidden file"
    suffix = unpacked(path).suffix.lower()
    return _LEFT_OUT.get(suffix)


def _kind(path: Path, found: Folder) -> str | None:
    """The reader for a file, by its content, or `text`; None and a reason for what neither fits."""
    try:
        with open_binary(path) as stream:
            head = stream.read(HEAD)
    except (PostmortemError, OSError):
        found.left_out.append((path, "not readable"))
        return None
    name = unpacked(path).name
    packed = name != path.name
    reader = None if packed else find(path, head)
    if reader is not None:
        return reader.__name__.rpartition(".")[2]
    if not head:
        found.left_out.append((path, "empty"))
    elif is_log_by_name(path):
        return "text"
    else:
        found.left_out.append((path, "no log by its name or content"))
    return None


def _refuse_several(folder: Path, parts: list[Part]) -> None:
    jobs = sorted({part.job for part in parts if part.job}, key=_natural)
    if len(jobs) > 1:
        listed = ", ".join(jobs[:10]) + (f" and {len(jobs) - 10} more" if len(jobs) > 10 else "")  # noqa: PLR2004 - a line
        raise PostmortemError(f"{folder}: logs of {len(jobs)} jobs ({listed}); name those of one, as in '*{jobs[-1]}*'")


def _order(part: Part) -> tuple[int, int, list[tuple[int, str]], int]:
    kind = _ORDER.index(part.kind) if part.kind in _ORDER else len(_ORDER)
    name = str(unpacked(part.path).with_suffix("")).replace("stderr", "stdout")
    errors = re.search(r"\.e(?:rr|[0-9])|stderr", part.path.name) is not None
    return kind, -1 if part.rank is None else part.rank, _natural(name), int(errors)


def _natural(name: str) -> list[tuple[int, str]]:
    """A key under which attempt_10 comes behind attempt_9."""
    return [(int(part[:18]), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]
