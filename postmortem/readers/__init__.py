"""Files that are no text lines, to frames. One kind of file a module; each has `GENERAL`, `reads` and `read`.

`reads(path, head)` decides by the file's first bytes, then by its name. `read(path, rows)` puts its rows into `rows`
and says what it could not read. A module that takes any file of a shape (csv, JSON lines) is `GENERAL` and asked last.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from postmortem.readers._info import FileInfo
from postmortem.readers._lines import HEAD
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from postmortem.parsing.rows import Rows

__all__ = ["FileInfo", "Reader", "find", "names", "read"]


class Reader(Protocol):
    """What each module here is."""

    __name__: str
    GENERAL: bool

    def reads(self, path: Path, head: bytes) -> bool:
        """True for a file of this kind, of which `head` are the first bytes."""

    def read(self, path: Path, rows: Rows) -> FileInfo:
        """Read the file into `rows`. PostmortemError for one that cannot be read at all."""


def names() -> list[str]:
    """The names of all readers."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))


@cache
def _readers() -> tuple[Reader, ...]:
    modules = [cast("Reader", import_module(f"{__name__}.{name}")) for name in names()]
    return tuple(sorted(modules, key=lambda module: module.GENERAL))


def find(path: str | Path, head: bytes | None = None) -> Reader | None:
    """The reader of a file, or None for a text log. `head` saves reading the file's first bytes again."""
    path = Path(path)
    if head is None:
        with open_binary(path) as stream:
            head = stream.read(HEAD)
    return next((reader for reader in _readers() if reader.reads(path, head)), None) if head else None


def read(path: str | Path, rows: Rows) -> FileInfo | None:
    """Read a file that is no text log into `rows`. None, and nothing read, for a text log."""
    reader = find(path)
    return reader.read(Path(path), rows) if reader else None
