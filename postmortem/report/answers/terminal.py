"""Answers as tables of plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.report.answers import Answer, Target

SUFFIXES: Final[tuple[str, ...]] = (".txt",)
_CELL: Final = 100
_ROWS: Final = 200


def render(answers: Sequence[Answer], target: Target) -> str:
    """At most 200 rows of each, unless all are asked for."""
    return "\n\n".join("\n".join(_table(answer, None if target.verbose else _ROWS)) for answer in answers) + "\n"


def _table(answer: Answer, most: int | None) -> Iterator[str]:
    from postmortem.report.answers._cells import rows
    from postmortem.report.table import table

    if answer.title:
        yield answer.title
    yield from table([answer.table.columns, *rows(answer.table.head(most) if most else answer.table)], _CELL)
    if answer.table.is_empty():
        yield "(none)"
    elif most and answer.table.height > most:
        yield f"... {answer.table.height - most:,} rows more (--verbose shows all)"
