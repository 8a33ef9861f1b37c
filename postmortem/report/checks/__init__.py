"""The outputs of a check, one a file: the module `junit` is `check --format junit`, and is found by being there.

Each holds what `CheckOutput` asks for, and imports nothing heavy before it renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from postmortem.report.registry import Registry, Target

if TYPE_CHECKING:
    from postmortem.check.logs import Check

__all__ = ["CHECKS", "CheckOutput", "Target"]

CHECKS: Final = Registry(__name__, __path__)


class CheckOutput(Protocol):
    """What a module of this folder holds."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        """The suffixes of files that are written in this format; none: `--format` alone asks for it."""

    def render(self, check: Check, target: Target) -> str:
        """The text, with its final line end."""
