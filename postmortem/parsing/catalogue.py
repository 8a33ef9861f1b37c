"""The dialects that a log is read with: those that ship, those that installed packages bring, and the user's own.

A dialect takes the place of an earlier one of the same name, so that a user can mend a shipped one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postmortem import plugins
from postmortem.errors import PostmortemError
from postmortem.parsing import dialect, dialects, index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from postmortem.parsing.dialect import Dialect
    from postmortem.parsing.dialects import Dialects

SHIPPED: Final = "shipped"


@dataclass(frozen=True, slots=True)
class Entry:
    """A dialect, who brings it (`shipped`, an entry point, or its path), and whose dialect it replaces."""

    dialect: Dialect
    origin: str
    replaces: str | None = None


def catalogue(extra: Sequence[Path] = ()) -> Dialects:
    """All dialects, with those in `extra`: files, or folders of *.yaml. PostmortemError: file, line and reason."""
    found = entries(extra)
    if all(entry.origin == SHIPPED for entry in found):
        return dialects.shipped()
    return dialects.Dialects((entry.dialect for entry in found), index.kept)


def entries(extra: Sequence[Path] = ()) -> list[Entry]:
    """The same dialects with their origins, by name."""
    found = {spec.name: Entry(spec, SHIPPED) for spec in dialects.shipped().all}
    for origin, path in _theirs(extra):
        spec = dialect.load(path)
        before = found.get(spec.name)
        found[spec.name] = Entry(spec, origin, before.origin if before else None)
    return [found[name] for name in sorted(found)]


def files(path: Path) -> list[Path]:
    """The dialect files that a path stands for: itself, or those of a folder. PostmortemError where there are none."""
    if path.is_dir():
        inside = sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"})
        if not inside:
            raise PostmortemError(f"{path}: no dialect (*.yaml) in this folder; check the path")
        return inside
    if not path.exists():
        raise PostmortemError(f"{path}: no such file or folder of dialects; check the path")
    return [path]


def _theirs(extra: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Origin and file of each dialect that does not ship, in the order in which they replace each other."""
    for folder, origin in plugins.folders("postmortem.formats").items():
        yield from ((origin, file) for file in files(folder))
    for path in extra:
        yield from ((str(file), file) for file in files(path))
