"""The incident as JSON, by its published schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final = (".json",)


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The whole incident, ASCII alone."""
    from postmortem.report import json

    del run, target
    return json.render(incident)
