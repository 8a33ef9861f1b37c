"""Work done in this process, one piece after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.replay.executors import Piece
    from postmortem.replay.protocol import Answer, Lost


class Local:
    """Nothing gets lost here: what cannot be done raises PostmortemError."""

    apart: Final = False

    def run(self, pieces: Sequence[Piece]) -> Iterator[Answer | Lost]:
        """The answers, each made when it is asked for."""
        for piece in pieces:
            yield piece()
