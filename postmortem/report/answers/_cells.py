"""Cells of a table as people read them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def cell(value: object) -> str:
    """A value as text; nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if value and abs(value) < 0.01 else f"{value:,.10g}"  # noqa: PLR2004 - as a probability
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def rows(table: pl.DataFrame) -> list[list[str]]:
    """All cells."""
    return [[cell(value) for value in row] for row in table.iter_rows()]
