"""What an archive answers, put out: one format a file, found by being there.

Each holds what `AnswersOutput` asks for, and imports nothing heavy before it renders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from postmortem.report.registry import Registry, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["ANSWERS", "Answer", "AnswersOutput", "Target"]

ANSWERS: Final = Registry(__name__, __path__)


class Answer(NamedTuple):
    """A question, what it counts, and the table that answers it."""

    name: str
    title: str
    about: str
    table: pl.DataFrame


class AnswersOutput(Protocol):
    """What a module of this folder holds."""

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        """The suffixes of files that are written in this format."""

    def render(self, answers: Sequence[Answer], target: Target) -> str:
        """The text, with its final line end."""
