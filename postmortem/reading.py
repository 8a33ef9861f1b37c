"""Whatever tells of a run, to that run: a text log, a file that a reader knows, or a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from postmortem import frames, readers
from postmortem.errors import NoLogError, PostmortemError
from postmortem.incident import LeftOut, Log
from postmortem.parsing import names
from postmortem.parsing.catalogue import catalogue
from postmortem.parsing.reader import Reader
from postmortem.parsing.rows import Rows
from postmortem.run import Run
from postmortem.sources.chunks import chunks
from postmortem.sources.decimals import with_points
from postmortem.sources.stream import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from postmortem.parsing.dialects import Dialects
    from postmortem.sources.folder import Folder

    Frames = dict[str, Callable[[], pl.DataFrame]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: how to make its frames, what is known of it, and where its lines begin."""

    frames: Frames
    log: Log
    line_index: Sequence[tuple[int, int]] = ()
    tells: bool = True  # something was found that only a run's files say
    text: Reader | None = None  # how its lines were understood, if it is a text log
    info: readers.FileInfo | None = None  # what its reader says of it, if it is none


def read(path: str | Path | Sequence[Path], *, formats: Sequence[Path] = ()) -> Run:
    """The run that a log, a folder of one run's files, or these files of one run tell of.

    `formats` are further dialects, or folders of them.

    PostmortemError for a log that is missing, unreadable, binary or none, and for a dialect that does not fit.
    """
    found, left_out = sources(str(path) if isinstance(path, Path) else path, catalogue(formats))
    if not any(file.tells for file in found):
        lines = sum(file.log.lines for file in found)
        name = path if isinstance(path, str | Path) else path[0]
        raise NoLogError(
            f"{name}: no log of a training run: none of its {lines:,} lines holds a metric, a tensor's range, "
            "an event or a job"
        )
    return Run(
        {name: _together([file.frames[name] for file in found]) for name in frames.FRAMES},
        [file.log for file in found],
        {file.log.path: file.line_index for file in found},
        left_out,
    )


def sources(path: str | Sequence[Path], dialects: Dialects) -> tuple[list[Source], list[LeftOut]]:
    """The files that a path stands for, read, and those of its folder that were not. PostmortemError as for `read`."""
    if not isinstance(path, str):
        return _files(path, dialects)
    if path != "-" and Path(path).is_dir():
        return _folder(Path(path), dialects)
    return [_source(path, dialects, None)], []


def _source(path: str, dialects: Dialects, rank: int | None) -> Source:
    if is_plain(path) and (found := readers.find(path)):
        return _record_file(path, found)
    return _text(path, dialects, rank)


def _text(path: str, dialects: Dialects, rank: int | None) -> Source:
    reader = Reader(path, dialects, rank=rank)
    with chunks(path) as pieces:
        reader.read(with_points(pieces))
    log = reader.log
    info = Log(
        path=path,
        sha256="",
        bytes=log.size,
        lines=log.lines,
        unread_lines=log.unread,
        cut_lines=log.cut,
        dialects=[name for name, _ in log.used.most_common()],
        truncated=reader.truncated,
    )
    return Source(log.frames(), info, log.line_index, log.tells or bool(set(log.used) - {"generic"}), reader)


def _record_file(path: str, reader: readers.Reader) -> Source:
    rows = Rows(names.load())
    info = reader.read(Path(path), rows)
    log = Log(
        path=path,
        reader=info.reader,
        sha256=info.sha256,
        bytes=info.bytes,
        lines=info.lines,
        unread_lines=info.unread_lines,
        cut_lines=info.cut_lines,
        dialects=info.dialects,
        truncated=info.truncated,
        binary=info.binary,
        left_out=dict(info.left_out),
        stopped=info.stopped,
    )
    built = rows.frames()
    tells = rows.any("metrics", "tensors", "events", "jobs")
    return Source({name: partial(built.__getitem__, name) for name in built}, log, tells=tells, info=info)


def _folder(folder: Path, dialects: Dialects) -> tuple[list[Source], list[LeftOut]]:
    """The files of one run. One that cannot be read is left out and named, as long as another can."""
    from postmortem.sources.folder import survey

    return _parts(str(folder), survey(folder), dialects)


def _files(files: Sequence[Path], dialects: Dialects) -> tuple[list[Source], list[LeftOut]]:
    if len(files) == 1:
        return [_source(str(files[0]), dialects, None)], []
    from postmortem.sources.folder import chosen

    return _parts(str(files[0]), chosen(files), dialects)


def _parts(name: str, found: Folder, dialects: Dialects) -> tuple[list[Source], list[LeftOut]]:
    left_out = [LeftOut(path=str(path), because=reason) for path, reason in found.left_out]
    read = []
    for part in found.parts:
        try:
            read.append(_source(str(part.path), dialects, part.rank))
        except PostmortemError as error:
            left_out.append(LeftOut(path=str(part.path), because=str(error).removeprefix(f"{part.path}: ")))
    if not read:
        raise PostmortemError(f"{name}: none of its logs can be read; the first: {left_out[-1].because}")
    return read, left_out


def _together(made: list[Callable[[], pl.DataFrame]]) -> Callable[[], pl.DataFrame]:
    return made[0] if len(made) == 1 else lambda: pl.concat([frame() for frame in made])
