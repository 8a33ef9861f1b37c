"""Frames as files, by suffix: Parquet, Arrow, CSV, JSON, JSON lines. Nothing is lost: nan and inf survive in each.

Parquet and Arrow hold them as numbers. CSV spells them NaN, inf and -inf. JSON has no such numbers: there they are the
strings "nan", "inf" and "-inf".

A spreadsheet runs a cell that begins like a formula, and a log may hold any text: in CSV, a text that begins with one
of = + - @, a tab or a carriage return gets a ' in front. Numbers stay as they are, also those in columns of text.
"""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Final

import polars as pl

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Begins like a formula, and is no number.
_FORMULA: Final = r"^[=+\-@\t\r]"
_NUMBER: Final = r"^[+-](?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$|^[+-](?i:inf|infinity|nan)$"
#: Rows that are text at one time.
_AT_ONCE: Final = 65_536


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame in the format of the path's suffix; its folder is made. PostmortemError where that fails."""
    writer = writer_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            writer(frame, file)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise PostmortemError(f"{path}: cannot be written: {reason}") from None


def writer_of(path: Path) -> Callable[[pl.DataFrame, IO[bytes]], None]:
    """What writes files of this suffix. PostmortemError for a suffix that stands for no format."""
    if path.suffix.lower() not in _WRITERS:
        raise PostmortemError(f"{path}: no format has the suffix {path.suffix!r}; there are {', '.join(_WRITERS)}")
    return _WRITERS[path.suffix.lower()]


def csv(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """A header and a row a line. A null is an empty cell, an empty text is ""."""
    text = pl.col(pl.String)
    guarded = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    safe = frame.with_columns(pl.when(guarded).then(text.str.replace("^", "'")).otherwise(text))
    file.write(safe.clear().write_csv().encode())
    # written from here, so that a reader that went away is a BrokenPipeError, as everywhere in Python
    for part in safe.iter_slices(_AT_ONCE):
        file.write(part.write_csv(include_header=False).encode())


def _json_lines(frame: pl.DataFrame, file: IO[bytes]) -> None:
    for row in _rows(frame):
        file.write(row + b"\n")


def _json(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """A list of objects, one a line."""
    separator = b"[\n"
    for row in _rows(frame):
        file.write(separator + row)
        separator = b",\n"
    file.write(b"[]\n" if frame.is_empty() else b"\n]\n")


def _rows(frame: pl.DataFrame) -> Iterator[bytes]:
    for part in frame.iter_slices(_AT_ONCE):
        for row in part.iter_rows(named=True):
            yield json.dumps({key: _jsonable(value) for key, value in row.items()}, ensure_ascii=False).encode()


def _jsonable(value: object) -> object:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


_WRITERS: Final[dict[str, Callable[[pl.DataFrame, IO[bytes]], None]]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".csv": csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".arrow": pl.DataFrame.write_ipc,
}
