"""Frames to derived frames: what SQL says badly. One signal a file; each module has `COLUMNS` and `compute`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl


def names() -> list[str]:
    """The names of all signals; rules ask for them as for frames."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


class Signals:
    """The signals of one run, each computed when it is first asked for."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self._frames = frames
        self._computed: dict[str, pl.DataFrame] = {}

    def get(self, name: str) -> pl.DataFrame | None:
        """The frame of a signal; None for one that does not exist."""
        if name not in self._computed:
            if name not in names():
                return None
            frame: pl.DataFrame = import_module(f"{__name__}.{name}").compute(self._frames)
            self._computed[name] = frame
        return self._computed[name]
