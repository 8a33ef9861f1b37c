"""The report as one HTML file: the same order as in markdown, figures and chain drawn in it, evidence to fold out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.report import page, phrases
from postmortem.report.chain import chain
from postmortem.report.drawing import draw
from postmortem.report.mask import scrub
from postmortem.report.mechanisms import tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from postmortem.incident import Incident

_SECTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("next", "Next"),
    ("timeline", "Timeline"),
    ("chain", "Chain"),
    ("findings", "Findings"),
    ("hypotheses", "Hypotheses"),
    ("figures", "Figures"),
    ("settings", "Settings"),
    ("unchecked", "Not checked"),
    ("with", "With what"),
)


def render(incident: Incident, figures: Mapping[str, Figure] | None = None) -> str:
    """The report as HTML text; it needs nothing beside it, and runs no script."""
    incident = scrub(incident)
    linked = chain(incident.findings)
    return page.fill(
        "incident.html.j2",
        incident=incident,
        most=phrases.FINDINGS,
        sections=[section for section in _SECTIONS if figures or section[0] != "figures"],
        drawing=draw(linked),
        unlinked=linked.left_out,
        mechanisms=tried(incident.replays),
        figures=page.pictures(figures or {}),
    )
