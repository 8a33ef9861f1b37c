"""A fix in words, the same in every output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.report.numbers import figure

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fix


def turn(fix: Fix) -> str:
    """What it turns: `eps 1e-5 -> 1e-3`."""
    start = "" if fix.old is None else f"{figure(fix.old)} "
    return f"{fix.knob} {start}-> {figure(fix.new)}"
