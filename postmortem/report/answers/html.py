"""Answers as one page of HTML that needs no network and runs no script, light or dark as its reader's screen."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from postmortem.report.answers import Answer, Target

SUFFIXES: Final[tuple[str, ...]] = (".html", ".htm")
_CELL: Final = 500
_ROWS: Final = 500


def render(answers: Sequence[Answer], target: Target) -> str:
    """A section each."""
    from postmortem import __version__
    from postmortem.report.answers._cells import rows
    from postmortem.report.escape import visible

    sections = [
        {
            "name": answer.name,
            "title": visible(answer.title),
            "about": visible(answer.about),
            "columns": [visible(name, _CELL) for name in answer.table.columns],
            "numbers": [kind.is_numeric() for kind in answer.table.dtypes],
            "rows": [
                [visible(text, _CELL) for text in row]
                for row in rows(answer.table if target.verbose else answer.table.head(_ROWS))
            ],
            "left": 0 if target.verbose else max(0, answer.table.height - _ROWS),
        }
        for answer in answers
    ]
    return _template().render(sections=sections, version=__version__) + "\n"


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("postmortem.report"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("archive.html.j2")
