"""The check as annotations of a GitHub workflow; the step's summary is the format `markdown`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = ()


def render(check: Check, target: Target) -> str:
    """All runs of the check."""
    from postmortem.report import github

    del target
    return github.render(check.runs, check.fail_on)
