"""A log to a run, read with the shipped dialects, those of installed packages, and the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.parsing import dialects, reader
from postmortem.parsing.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.run import Run


def read(path: str, *, formats: Sequence[Path] = ()) -> Run:
    """The run that a log tells of; `formats` are further dialects, or folders of them.

    PostmortemError for a log that is missing, unreadable, binary or none, and for a dialect that does not fit.
    """
    known, shipped = catalogue(formats), dialects.shipped
    if known is shipped():
        return reader.read(path)
    # until the reader takes its dialects as an argument: reader.read(path, known)
    dialects.shipped = lambda: known  # type: ignore[assignment]
    try:
        return reader.read(path)
    finally:
        dialects.shipped = shipped
