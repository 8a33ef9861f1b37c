"""The incident as annotations of a GitHub workflow; the step's summary is the format `markdown`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final[tuple[str, ...]] = ()


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The incident as the only run of a check."""
    from postmortem.archive.judged import Judged
    from postmortem.report import github

    del run
    judged = Judged(name=incident.logs[0].path, incident=incident)
    return github.render([judged], target.fail_on)
