"""Dialects that were read and checked before, kept in the user's cache folder: YAML takes long, and they rarely change.

A file is found by the digest of all that decides what it holds, so that it is never out of date. It is data that is
validated again, only not proved again; what cannot be read or written is done without. POSTMORTEM_CACHE names another
folder, or `0` for none.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from postmortem import cache
from postmortem.parsing import dialect, pattern
from postmortem.parsing.dialect import PROVED, Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What decides whether a dialect fits.
_CODE: Final = (dialect.__file__, pattern.__file__)
#: Sets of dialects that are kept, of several versions of this program.
_MOST: Final = 4
_ALL: Final = TypeAdapter(list[Dialect])


def load(paths: Sequence[Path]) -> list[Dialect]:
    """The dialects in these files. PostmortemError names the file that does not fit."""
    place = _place(paths)
    if place is not None:
        with suppress(OSError, ValueError):  # a ValidationError is one as well
            found = _ALL.validate_python(json.loads(place.read_bytes()), context=PROVED)
            for one, path in zip(found, paths, strict=True):
                one.path = str(path)
            return found
    loaded = [dialect.load(path) for path in paths]
    if place is not None:
        with suppress(OSError):
            _keep(place, loaded)
    return loaded


def _place(paths: Sequence[Path]) -> Path | None:
    """Where these files' dialects are kept; None where nothing is to be kept, or a file cannot be read."""
    home = cache.folder()
    if home is None:
        return None
    digest = hashlib.sha256()
    try:
        for path in (*map(Path, _CODE), *paths):
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode() + content)
    except OSError:
        return None
    return home / f"dialects-{digest.hexdigest()}.json"


def _keep(place: Path, loaded: list[Dialect]) -> None:
    data = _ALL.dump_python(loaded)
    text = json.dumps(data, default=str)
    if repr(json.loads(text)) != repr(data):
        return  # a sample gives what JSON cannot hold, such as a date
    place.parent.mkdir(parents=True, exist_ok=True)
    written = place.with_suffix(f".{os.getpid()}")
    written.write_text(text, encoding="utf-8")
    written.replace(place)  # whole, or not at all
    kept = sorted(place.parent.glob("dialects-*"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-_MOST]:
        old.unlink(missing_ok=True)
