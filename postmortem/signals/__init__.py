"""Frames to derived frames: what SQL says badly. One signal a file; each module has `COLUMNS` and `compute`."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@cache
def names() -> tuple[str, ...]:
    """The names of all signals; rules ask for them as for frames."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


class Signals(Mapping[str, "pl.DataFrame"]):
    """The frames of one run, and its signals, each computed when it is first asked for. A signal may ask for others."""

    def __init__(self, frames: Mapping[str, pl.DataFrame]) -> None:
        self._frames = frames
        self._computed: dict[str, pl.DataFrame] = {}
        self._locks = {name: RLock() for name in names()}

    def __getitem__(self, name: str) -> pl.DataFrame:
        """A frame or signal. KeyError for one that does not exist."""
        if name in self._frames:
            return self._frames[name]
        with self._locks[name]:  # two threads may ask for it
            if name not in self._computed:
                frame: pl.DataFrame = import_module(f"{__name__}.{name}").compute(self)
                self._computed[name] = frame
            return self._computed[name]

    def __contains__(self, name: object) -> bool:
        """True for a frame or signal, whether it is computed or not."""
        return name in self._frames or name in names()

    def __iter__(self) -> Iterator[str]:
        """The names of the frames, then of the signals."""
        return iter([*self._frames, *names()])

    def __len__(self) -> int:
        """How many frames and signals there are."""
        return len(self._frames) + len(names())
