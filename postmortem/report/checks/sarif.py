"""The check as SARIF 2.1.0, which code hosts read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = (".sarif",)


def render(check: Check, target: Target) -> str:
    """All runs of the check."""
    from postmortem.report import sarif

    del target
    return sarif.render(check.runs)
