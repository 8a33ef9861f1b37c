"""The report as one HTML file, figures in it; a browser prints it as PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final = (".html", ".htm")


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The report, with figures where there is a run to draw them from."""
    from postmortem.report import figures, html

    del target
    return html.render(incident, figures.draw(incident, run) if run else {})
