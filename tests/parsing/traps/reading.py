"""A log of a few lines, read as a user reads it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import postmortem

if TYPE_CHECKING:
    import polars as pl

    from postmortem.run import Run


def read(log: str | bytes) -> Run:
    """The run that a log tells of; its name says nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.log"
        path.write_bytes(log if isinstance(log, bytes) else log.encode())
        run = postmortem.read(str(path))
        run.frames()
        return run


def rows(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a frame, row by row."""
    return frame.select(columns).rows()


def metrics(log: str | bytes) -> dict[str, float]:
    """Name and value of each metric; a name that comes twice is an error of the test."""
    found = rows(read(log).metrics, "name", "value")
    assert len(found) == len(dict(found))
    return dict(found)
