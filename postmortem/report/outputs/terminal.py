"""The first screen: as wide and coloured as the terminal is, plain elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final = (".txt",)


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """What fits one screen, or all that there is to say."""
    from postmortem.report import terminal
    from postmortem.report.text_page import Page

    del run
    page = Page.of(target)
    terminal.render(incident, page, verbose=target.verbose)
    return page.text()
