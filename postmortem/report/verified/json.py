"""What was verified, as JSON by its published schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.report.registry import Target
    from postmortem.verify.verification import Verification

SUFFIXES: Final = (".json",)


def render(verification: Verification, target: Target) -> str:
    """All of it, ASCII alone."""
    from postmortem.report import json

    del target
    return json.render(verification)
