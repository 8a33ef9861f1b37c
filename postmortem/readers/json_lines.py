"""JSON lines: one object a line, of any keys. The first may be the configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._lines import Lines, last_texts, texts
from postmortem.readers._records import Records

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = True
_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_OPENING: Final = re.compile(rb"\s*\{\s*\"")
#: Of the lines of a file with such a name this share must be objects.
_SHARE: Final = 0.8


def reads(path: Path, head: bytes) -> bool:
    """Lines that are JSON objects: nearly all where the name says so, else all, up to the file's end.

    A log whose objects are followed by a traceback is a text log.
    """
    if not _OPENING.match(head.removeprefix(b"\xef\xbb\xbf")):
        return False
    named = path.suffix.lower() in _SUFFIXES
    lines = texts(head)
    if not lines:
        return named  # its first line is longer than the head
    objects = sum(_object(line) is not None for line in lines)
    if named:
        return objects > 0 and objects >= _SHARE * len(lines)
    return objects == len(lines) and all(_object(line) is not None for line in last_texts(path))


def read(path: Path, rows: Rows) -> FileInfo:
    """Every line a record. Lines that are no object are unread. PostmortemError where no line is one."""
    lines = Lines(path)
    records = Records(rows)
    unread = objects = 0
    trained: dict[str, object] = {}
    for line in lines:
        text = line.text.strip()
        if not text:
            continue
        record = None if line.cut else _object(text)
        if record is None:
            unread += 1
            continue
        objects += 1
        place = Place(str(path), line=line.number, offset=line.offset, dialect="json_lines")
        flat = _json.flatten(record, records.left_out)
        if {"iter", "step"} <= flat.keys():
            trained = flat
        if trained and "step" in flat and "iter" not in flat:
            records.put(place, _evaluated(flat, trained), {"split": "eval"})
        else:
            records.put(place, flat)
    if not objects:
        raise PostmortemError(f"{path}: none of its {lines.lines:,} lines is a JSON object; it is no JSON-lines file")
    info = lines.info("json_lines")
    info.unread_lines, info.left_out = unread, records.left_out
    info.dialects = [name for name, _ in records.used.most_common()]
    return info


def _evaluated(record: dict[str, object], trained: dict[str, object]) -> dict[str, object]:
    """MMEngine's record of an evaluation, whose `step` is an epoch, at the place of the last record of the training."""
    if record["step"] != trained.get("epoch"):
        return record
    return {**record, "epoch": record["step"], "step": trained["step"]}


def _object(text: str) -> dict[str, object] | None:
    try:
        value = _json.decode(text.strip())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
