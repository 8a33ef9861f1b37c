"""The incident as SARIF 2.1.0, which code hosts read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final[tuple[str, ...]] = (".sarif",)


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The incident as the only run of a check."""
    from postmortem.archive.judged import Judged
    from postmortem.report import sarif

    del run, target
    judged = Judged(name=incident.logs[0].path, incident=incident)
    return sarif.render([judged])
