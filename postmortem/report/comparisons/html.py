"""A comparison as one HTML file, figures in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.compare.runs import Compared
    from postmortem.report.comparisons import Target

SUFFIXES: Final = (".html", ".htm")


def render(compared: Compared, target: Target) -> str:
    """The tables of each pair, then the figures; it needs nothing beside it, and runs no script."""
    from postmortem.report import page
    from postmortem.report.figures.compared import draw
    from postmortem.report.mask import scrub

    del target
    pictures = page.pictures(draw(compared))
    return page.fill("comparison.html.j2", comparison=scrub(compared.comparison), figures=pictures)
