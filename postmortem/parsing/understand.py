"""How a log was understood, from what its reader remembers: no line of it is read again."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from postmortem.parsing import named
from postmortem.parsing.templates import TAKEN
from postmortem.parsing.understanding import TEXT, ReadBy, Understanding, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

    from postmortem.parsing.dialects import Dialects
    from postmortem.parsing.reader import Reader
    from postmortem.parsing.seen import Kind
    from postmortem.readers import FileInfo

_GENERIC: Final = "generic"
_DIGITS: Final = re.compile(r"[0-9]+")
_BLANKS: Final = re.compile(r"\s+")


def of_log(reader: Reader) -> Understanding:
    """How a text log was understood, once `reader` has read it."""
    log, interpreter = reader.log, reader.templates.interpreter
    kinds = list(log.seen.kinds)
    tables = named.tables({name: make() for name, make in log.frames().items()}, log.file, interpreter.dialects)
    return Understanding(
        path=log.file,
        reader=TEXT,
        lines=log.lines,
        read_lines=log.lines - log.unread - log.blank,
        unread_lines=log.unread,
        unread_share=_share(log.unread, log.lines - log.blank),
        blank_lines=log.blank,
        cut_lines=log.cut,
        block_records=log.seen.records(TAKEN),
        truncated=reader.truncated,
        stopped=None,
        read_by=_read_by(kinds),
        unread=_unread(kinds, interpreter.body),
        left_out={},
        **tables._asdict(),
    )


def of_file(info: FileInfo, made: Mapping[str, pl.DataFrame], dialects: Dialects) -> Understanding:
    """How a file that is no text log was understood: `info` and frames are what its reader gave."""
    tables = named.tables(made, info.path, dialects)
    return Understanding(
        path=info.path,
        reader=info.reader,
        lines=info.lines,
        read_lines=info.lines - info.unread_lines,
        unread_lines=info.unread_lines,
        unread_share=_share(info.unread_lines, info.lines),
        blank_lines=None,
        cut_lines=info.cut_lines,
        block_records=0,
        truncated=info.truncated,
        stopped=info.stopped,
        read_by=[],
        unread=[],
        left_out=dict(info.left_out),
        **tables._asdict(),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _read_by(kinds: Iterable[Kind]) -> list[ReadBy]:
    found: dict[tuple[str, str], list[Kind]] = {}
    for kind in kinds:
        if kind.tabled:
            found.setdefault((_GENERIC, _GENERIC), []).append(replace(kind, records=kind.tabled))
        for pair in dict.fromkeys(zip(kind.template.used, kind.template.patterns, strict=True)):
            found.setdefault(pair, []).append(kind)
    rows = []
    for (dialect, pattern), alike in found.items():
        first = min(alike, key=lambda kind: kind.place)
        rows.append(
            ReadBy(
                dialect=dialect,
                pattern=None if dialect == _GENERIC else pattern.removeprefix(f"{dialect}: "),
                records=sum(kind.records for kind in alike),
                line=first.line,
                example=first.text.strip(),
            )
        )
    total: Counter[str] = Counter()
    for row in rows:
        total[row.dialect] += row.records
    return sorted(rows, key=lambda row: (-total[row.dialect], row.dialect, -row.records, row.line, row.pattern or ""))


def _unread(kinds: Iterable[Kind], body: Callable[[bytes], str]) -> list[Unread]:
    found: dict[str, list[tuple[Kind, str]]] = {}
    for kind in kinds:
        if not kind.template.read and kind.records > kind.tabled:
            text = body(kind.text.encode()).strip() or kind.text.strip()
            found.setdefault(_BLANKS.sub(" ", _DIGITS.sub("0", text)), []).append((kind, text))
    rows = []
    for shape, alike in found.items():
        first, text = min(alike, key=lambda pair: pair[0].place)
        records = sum(kind.records - kind.tabled for kind, _ in alike)
        rows.append(Unread(shape=shape, records=records, line=first.line, example=text))
    return sorted(rows, key=lambda row: (-row.records, row.line, row.shape))
