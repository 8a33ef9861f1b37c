"""The check as JUnit's XML, which nearly every CI server reads: a test case per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = (".xml",)


def render(check: Check, target: Target) -> str:
    """All runs of the check."""
    from postmortem.report import junit

    del target
    return junit.render(check.runs, check.fail_on)
