"""A comparison as markdown; its figures go beside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.compare.runs import Compared
    from postmortem.report.comparisons import Target

SUFFIXES: Final = (".md", ".markdown")


def render(compared: Compared, target: Target) -> str:
    """The tables of each pair, with figures where there is a file for them to stand beside."""
    from postmortem.report import markdown
    from postmortem.report.figures.compared import draw
    from postmortem.report.mask import scrub

    links = markdown.beside(draw(compared), target.path) if target.path else {}
    return markdown.fill("comparison.md.j2", comparison=scrub(compared.comparison), figures=links)
