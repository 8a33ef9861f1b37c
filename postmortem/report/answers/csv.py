"""One answer as CSV, in which no spreadsheet finds a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.report.answers import Answer, Target

SUFFIXES: Final[tuple[str, ...]] = (".csv",)


def render(answers: Sequence[Answer], target: Target) -> str:
    """The rows of one table. PostmortemError for several: one file holds one."""
    import io

    import polars as pl

    from postmortem import export
    from postmortem.errors import PostmortemError

    del target
    if len(answers) != 1:
        raise PostmortemError("a CSV file holds one table: ask one question, or take another format")
    table = answers[0].table
    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    flat = table.with_columns(
        pl.Series(name, [None if value is None else str(value) for value in table[name].to_list()], dtype=pl.String())
        for name in nested
    )
    # a heading is text of whoever asks: it gets the same care as a cell
    headings = pl.DataFrame({"name": flat.columns}, schema={"name": pl.String()})
    written = io.BytesIO()
    export.csv(headings, written)
    names = [line.strip('"').replace('""', '"') for line in written.getvalue().decode().splitlines()[1:]]
    rows = io.BytesIO()
    export.csv(flat.rename(dict(zip(flat.columns, names, strict=True))), rows)
    return rows.getvalue().decode()
