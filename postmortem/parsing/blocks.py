"""Several lines that make one row: what a block's first line says, and its parts, each at most once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postmortem.parsing.dialects import CompiledBlock
    from postmortem.parsing.pattern import FieldValue, Pattern


@dataclass(slots=True)
class OpenBlock:
    """A block whose lines are being read."""

    values: dict[str, FieldValue]
    texts: dict[str, str]
    parts: list[Pattern]
    ended: bool = False

    @classmethod
    def start(cls, block: CompiledBlock) -> OpenBlock:
        """Nothing read yet but the first line."""
        return cls({}, {}, list(block.parts))

    def take(self, text: str) -> bool:
        """Read `text` as the first part that it fits; where it fits none, the block has ended."""
        for pattern in self.parts:
            for match in pattern.find(text):
                self.values |= match.values
                self.texts |= match.texts
                self.parts.remove(pattern)
                return True
        self.ended = True
        return False
