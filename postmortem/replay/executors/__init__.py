"""Where the pieces of a replay run: here, or on a cluster. One way a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.replay.protocol import Answer, Lost


class Piece(Protocol):
    """A piece of work: plain data that can be pickled, called where it is to be done."""

    @property
    def title(self) -> str:
        """What it is, for a person."""

    def __call__(self) -> Answer:
        """Do it. PostmortemError where it cannot be done as asked."""


class Executor(Protocol):
    """A place where pieces of work run."""

    @property
    def apart(self) -> bool:
        """Whether pieces run at once, so that more and smaller ones are done sooner and lost one by one."""

    def run(self, pieces: Sequence[Piece]) -> Iterator[Answer | Lost]:
        """An outcome for each piece, in their order. A piece that brings nothing back says why."""
