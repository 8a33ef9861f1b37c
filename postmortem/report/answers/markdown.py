"""Answers as markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.report.answers import Answer, Target

SUFFIXES: Final[tuple[str, ...]] = (".md", ".markdown")
_CELL: Final = 300
_ROWS: Final = 200


def render(answers: Sequence[Answer], target: Target) -> str:
    """A section each."""
    most = None if target.verbose else _ROWS
    return "\n".join(line for answer in answers for line in _section(answer, most)).strip() + "\n"


def _section(answer: Answer, most: int | None) -> Iterator[str]:
    from postmortem.report.answers._cells import rows
    from postmortem.report.escape import markdown

    if answer.title:
        yield from ("", f"## {markdown(answer.title)}", "", markdown(answer.about), "")
    if answer.table.is_empty():
        yield "None."
        return
    shown = answer.table.head(most) if most else answer.table
    for line in ([markdown(name, _CELL) for name in shown.columns], ["---"] * shown.width, *_cells(rows(shown))):
        yield f"| {' | '.join(line)} |"
    if shown.height < answer.table.height:
        yield f"\n{answer.table.height - shown.height:,} rows more are left out."


def _cells(rows: list[list[str]]) -> Iterator[list[str]]:
    from postmortem.report.escape import markdown

    return ([markdown(text, _CELL) for text in row] for row in rows)
