"""The rules that a log is judged by: those that ship, those that installed packages bring, and the user's own.

Other than a dialect, a rule never takes the place of an earlier one of the same id: what a finding's id means, and what
other rules say of it, stays the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postmortem import plugins
from postmortem.errors import PostmortemError
from postmortem.rules import cached, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from postmortem.rules.rule import Rule

SHIPPED: Final = "shipped"


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule, and who brings it: `shipped`, an entry point, or its path."""

    rule: Rule
    origin: str


def rules(folders: Sequence[Path] = ()) -> tuple[list[Rule], list[str]]:
    """All rules, with those in `folders`, and one line for each file that is none. PostmortemError for a wrong path."""
    found, errors = entries(folders)
    return [entry.rule for entry in found], errors


def entries(folders: Sequence[Path] = ()) -> tuple[list[Entry], list[str]]:
    """The same rules with their origins: those that ship, then the others in the order in which they are brought."""
    found: dict[str, Entry] = {}
    errors: list[str] = []
    for folder, origin in _places(folders):
        loaded, broken = cached.load_folder(folder)
        errors += broken
        taken = {one.id for one in loaded if one.id in found}
        errors += [
            f"{one.path}:1: rule {one.id} exists already; give it another name" for one in loaded if one.id in taken
        ]
        found |= {one.id: Entry(one, origin or str(one.path)) for one in loaded if one.id not in taken}
    return list(found.values()), errors


def files(path: Path) -> list[tuple[Path, Path]]:
    """The rule files that a path stands for, itself or those below a folder, each with the root that its id begins at.

    PostmortemError where there are none.
    """
    if path.is_dir():
        inside = sorted(path.rglob("*.yaml"))
        if not inside:
            raise PostmortemError(f"{path}: no rule (*.yaml) in this folder; check the path")
        return [(file, path) for file in inside]
    if not path.exists():
        raise PostmortemError(f"{path}: no such file or folder of rules; check the path")
    return [(path, path.parent.parent)]


def _places(folders: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """Each folder once, and who brings it where that is not the user."""
    places: dict[Path, tuple[Path, str | None]] = {rule.SHIPPED.resolve(): (rule.SHIPPED, SHIPPED)}
    for folder, origin in plugins.folders("postmortem.rules").items():
        places.setdefault(folder.resolve(), (folder, origin))
    for folder in folders:
        places.setdefault(folder.resolve(), (folder, None))
    yield from places.values()
