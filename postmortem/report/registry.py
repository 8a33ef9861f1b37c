"""Formats that are found by being there: a folder of modules, each a format by its name, with the suffixes it has."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.rules.finding import Severity


@dataclass(frozen=True, slots=True)
class Target:
    """Where a text goes."""

    path: Path | None = None  # None: stdout
    verbose: bool = False  # leave nothing out
    fail_on: Severity = "medium"  # from this severity on a finding fails its run


@dataclass(frozen=True, slots=True)
class Registry:
    """The formats of one folder. Its modules import nothing heavy before they render."""

    package: str
    folders: Sequence[str]

    def names(self) -> list[str]:
        """The names of all formats, sorted. Imports none of them."""
        names = (module.name for module in pkgutil.iter_modules(self.folders))
        return sorted(name for name in names if not name.startswith("_"))

    def load(self, name: str) -> Any:  # noqa: ANN401 - a module; the folder's own protocol says what it holds
        """The module of the format of that name, one of `names`."""
        return import_module(f"{self.package}.{name}")

    def by_suffix(self, path: Path) -> str:
        """The format of a file of that name. PostmortemError names the suffixes there are if none is its own."""
        suffixes = {suffix: name for name in self.names() for suffix in self.load(name).SUFFIXES}
        if path.suffix not in suffixes:
            known = ", ".join(sorted(suffixes))
            raise PostmortemError(f"-o {path}: no format has this suffix; add --format, or use one of {known}")
        return suffixes[path.suffix]
