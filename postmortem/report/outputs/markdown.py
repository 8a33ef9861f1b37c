"""The report as markdown; its figures go beside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final = (".md", ".markdown")


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The report, with figures where there are a file and a run to draw them from."""
    from postmortem.report import figures, markdown

    links = markdown.beside(figures.draw(incident, run), target.path) if run and target.path else {}
    return markdown.render(incident, links)
