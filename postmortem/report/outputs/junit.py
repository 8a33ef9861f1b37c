"""The incident as JUnit's XML, which nearly every CI server reads: a test case per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final[tuple[str, ...]] = (".xml",)


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """The incident as the only run of a check."""
    from postmortem.archive.judged import Judged
    from postmortem.report import junit

    del run
    judged = Judged(name=incident.logs[0].path, incident=incident)
    return junit.render([judged], target.fail_on)
