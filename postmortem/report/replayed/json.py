"""What the lab says, as JSON by its published schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.lab.replayed import Replayed
    from postmortem.report.registry import Target

SUFFIXES: Final = (".json",)


def render(replayed: Replayed, target: Target) -> str:
    """All of it, ASCII alone."""
    from postmortem.report import json

    del target
    return json.render(replayed)
