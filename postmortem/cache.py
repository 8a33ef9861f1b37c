"""What this program keeps because it takes long to make: found by the digest of all that decides what it is.

So it is never out of date. What cannot be read or written is done without. The folder is POSTMORTEM_CACHE, or the
user's cache; POSTMORTEM_CACHE=0 keeps nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Of each kind, of several versions of this program or of its user's files.
_MOST: Final = 4


def folder() -> Path | None:
    """The folder, which may not exist yet. None where nothing is to be kept: POSTMORTEM_CACHE=0, or no home."""
    named = os.environ.get("POSTMORTEM_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.path.expanduser(named))  # noqa: PTH111 - which leaves a home that nobody knows as it is
    return home / "postmortem" if home.is_absolute() else None


def place(kind: str, files: Iterable[tuple[str, str | Path]], versions: str = "") -> Path | None:
    """Where what is made of these files, each with its name, is kept; None where nothing is, or one cannot be read."""
    home = folder()
    if home is None:
        return None
    digest = hashlib.sha256(versions.encode())
    try:
        for name, path in files:
            with open(path, "rb") as file:  # noqa: PTH123 - hundreds of files
                content = file.read()
            digest.update(f"{name} {len(content)}\n".encode() + content)
    except OSError:
        return None
    return home / f"{kind}-{digest.hexdigest()}.json"


def kept(at: Path | None) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What is kept there, or None."""
    with suppress(OSError, ValueError):
        return from_json(at.read_bytes()) if at else None
    return None


def keep(at: Path | None, data: object) -> None:
    """Keep what JSON gives back as it was; what it does not, such as a date, is not kept."""
    if at is None:
        return
    text = json.dumps(data, default=str)
    if repr(from_json(text)) != repr(data):
        return
    with suppress(OSError):
        at.parent.mkdir(parents=True, exist_ok=True)
        written = at.with_suffix(f".{os.getpid()}")
        written.write_text(text, encoding="utf-8")
        written.replace(at)  # whole, or not at all
        kind = at.name.partition("-")[0]
        found = sorted(at.parent.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
        for old in found[:-_MOST]:
            old.unlink(missing_ok=True)
