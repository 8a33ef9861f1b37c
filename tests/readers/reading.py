"""One file read by the reader that claims it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem import readers
from postmortem.parsing import names
from postmortem.parsing.rows import Rows

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from postmortem.readers import FileInfo


def reader_of(path: Path) -> str | None:
    """The name of the reader that claims a file; None for a text log."""
    found = readers.find(path)
    return found.__name__.rpartition(".")[2] if found else None


def load(path: Path) -> tuple[dict[str, pl.DataFrame], FileInfo]:
    """The frames of a file that some reader claims, and what is known of it."""
    rows = Rows(names.load())
    info = readers.read(path, rows)
    assert info is not None
    return rows.frames(), info


def curve(frames: dict[str, pl.DataFrame], name: str) -> list[tuple[int | None, float]]:
    """Step and value of a metric, in the file's order."""
    metrics = frames["metrics"]
    return metrics.filter(metrics["name"] == name).select("step", "value").rows()


def settings(frames: dict[str, pl.DataFrame]) -> dict[str, str]:
    """Key and value of all settings."""
    return dict(frames["settings"].select("key", "value").rows())
