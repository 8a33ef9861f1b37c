"""Tables of plain text: columns as wide as their longest cell, two blanks apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

#: Characters of a cell.
_WIDEST: Final = 60
#: Columns of a place that are rarely looked for: they stand last.
_LAST: Final = ("step_unit", "dialect", "job", "file", "record", "offset")


def table(rows: Sequence[Sequence[str]], limit: int | None = None) -> Iterator[str]:
    """The lines of a table of at least one row. Cells are made harmless, and cut at `limit` characters."""
    cells = [[visible(cell, limit) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def brief(name: str, frame: pl.DataFrame, *, rows: int, width: int) -> Iterator[str]:
    """A frame on a screen of `width` characters: its size, its first rows, and what is the same in all of them.

    Columns without any value are left out, and those that have no room are named.
    """
    yield f"{name}: {frame.height:,} row{'' if frame.height == 1 else 's'}, {frame.width} columns"
    if frame.is_empty():
        return
    order = sorted(frame.columns, key=lambda column: _LAST.index(column) if column in _LAST else -1)
    held = [column for column in order if frame[column].null_count() < frame.height]
    same = [column for column in held if frame.height > 1 and frame[column].n_unique() == 1]
    if same:
        yield visible("in every row: " + ", ".join(f"{column}={frame[column][0]}" for column in same), width)
    head = frame.head(rows)
    columns = [[column, *map(_cell, head[column])] for column in held if column not in same]
    shown, room = 0, width + 2
    for cells in columns:
        room -= 2 + max(len(visible(cell, _WIDEST)) for cell in cells)
        if room < 0 and shown:
            break
        shown += 1
    if shown:
        yield from table(list(zip(*columns[:shown], strict=True)), _WIDEST)
    if frame.height > rows:
        yield f"... {frame.height - rows:,} rows more"
    if hidden := [cells[0] for cells in columns[shown:]]:
        yield f"no room for: {', '.join(hidden)}"


def _cell(value: object) -> str:
    return "" if value is None else str(value)
