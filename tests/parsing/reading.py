"""A log's text, read in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.parsing import dialects
from postmortem.parsing.reader import Reader
from postmortem.sources.chunks import Bytes

if TYPE_CHECKING:
    import polars as pl


def read(text: str) -> Reader:
    """The reader that has read it, with all dialects."""
    reader = Reader("x.log", dialects.shipped())
    reader.read([Bytes(text.encode(), goes_on=False)])
    return reader


def metrics(text: str) -> pl.DataFrame:
    """The frame of its metrics."""
    return read(text).log.frames()["metrics"]()


def values(text: str) -> list[tuple[int | None, float | None, str, str | None, float]]:
    """Step, epoch, name, split and value of each metric, in the log's order."""
    return metrics(text).select("step", "epoch", "name", "split", "value").rows()
