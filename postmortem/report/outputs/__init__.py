"""The outputs of an incident, one a file: the module `markdown` is `--format markdown`, and is found by being there.

Each holds what `Output` asks for, and imports nothing heavy before it renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from postmortem.report.registry import Registry, Target

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.run import Run

__all__ = ["OUTPUTS", "Output", "Target"]

OUTPUTS: Final = Registry(__name__, __path__)


class Output(Protocol):
    """What a module of this folder holds."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        """The suffixes of files that are written in this format; none: `--format` alone asks for it."""

    def render(self, incident: Incident, run: Run | None, target: Target) -> str:
        """The text, with its final line end. Files that go beside it are written beside `target.path`.

        `run` is None where the incident comes from a file. OSError if a file cannot be written.
        """
