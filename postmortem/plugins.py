"""What installed packages bring: folders of dialects and of rules, by entry points.

An entry point of the group `postmortem.formats` or `postmortem.rules` names a package, whose folder holds the files,
or an object that is a path.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

_GROUPS: Final = ("postmortem.formats", "postmortem.rules")


def folders(group: str) -> dict[Path, str]:
    """The paths that the entry points of a group stand for, and who brings each, by the entry points' names.

    PostmortemError for an entry point that cannot be imported, or that is neither a package on disk nor a path.
    """
    return {_path(point): f"entry point {point.name}" for point in _points(tuple(sys.path)).get(group, ())}


@lru_cache(maxsize=8)
def _points(places: tuple[str, ...]) -> Mapping[str, Sequence[EntryPoint]]:
    """Those of each group among the packages at these places: to look through all packages takes long."""
    del places
    found = entry_points()
    return {group: sorted(found.select(group=group), key=lambda point: (point.name, point.value)) for group in _GROUPS}


def _path(point: EntryPoint) -> Path:
    where = f"entry point {point.name} = {point.value} of {point.group}"
    if point.dist is not None:
        where += f" (package {point.dist.name})"
    try:
        found = point.load()
    except Exception as error:  # noqa: BLE001 - importing runs code of strangers, which may raise anything
        reason = str(error) or type(error).__name__
        raise PostmortemError(f"{where}: cannot be imported: {reason}; repair or remove that package") from None
    if isinstance(found, ModuleType) and getattr(found, "__path__", None):
        found = next(iter(found.__path__))
    if not isinstance(found, str | os.PathLike) or not Path(found).exists():
        raise PostmortemError(f"{where}: neither a package with a folder nor a path that exists")
    return Path(found)
