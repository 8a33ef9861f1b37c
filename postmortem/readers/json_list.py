"""A JSON file that is one list of objects, each a record: a history as scripts dump it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._records import Records

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = True
_HEAD: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{\s*\"")
_OPENING: Final = re.compile(r"\[")


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """A bracket, then an object."""
    return _HEAD.match(head) is not None


def read(path: Path, rows: Rows) -> FileInfo:
    """Every object a record, at the line where it begins; what else the list holds is unread."""
    document = _json.Document(path)
    records = Records(rows)
    unread = objects = 0
    for item in document.items(_OPENING):
        if not isinstance(item.value, dict):
            unread += 1
            continue
        objects += 1
        place = Place(str(path), line=item.line, offset=item.offset, dialect="json_list")
        records.put(place, _json.flatten(item.value, records.left_out))
    if not objects:
        raise PostmortemError(f"{path}: its list holds no complete object; it is broken or no list of records")
    info = document.info("json_list")
    info.unread_lines, info.left_out = unread, records.left_out
    info.dialects = [name for name, _ in records.used.most_common()]
    return info
