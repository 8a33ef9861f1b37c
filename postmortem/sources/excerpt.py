"""Lines of a log as evidence: found again by number, cleaned, and cut to what a report can show."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from postmortem.parsing.shapes import ANSI
from postmortem.sources.stream import is_plain, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of a line that are looked at for its last state.
_LONGEST: Final = 2**20


def excerpt(path: str, lines: set[int], index: Sequence[tuple[int, int]] = (), width: int = 400) -> dict[int, str]:
    """The last state of each of these physical lines, at most `width` characters.

    `index` are line numbers with the byte at which each begins, in order: the nearest one is gone to.
    """
    found: dict[int, str] = {}
    wanted = sorted(lines)
    if not wanted:
        return found
    plain = bool(index) and is_plain(path)
    with opened(path, again=True) as stream:
        number = 0
        for line in wanted:
            if plain:
                first, byte = index[max(0, bisect_right(index, (line, 2**63)) - 1)]
                if first > number + 1 or number >= line:
                    stream.seek(byte)
                    number = first - 1
            raw = b""
            while number < line and (raw := stream.readline(_LONGEST)):
                while not raw.endswith(b"\n") and (more := stream.readline(_LONGEST)):
                    raw = (raw + more)[-_LONGEST:] if number + 1 == line else more
                number += 1
            if number < line:
                break
            states = [state.strip() for state in shown(raw).split("\r")]
            found[line] = next((state for state in reversed(states) if state), "")[:width].rstrip()
    return found


def shown(raw: bytes) -> str:
    """Bytes of a log as text without control codes."""
    return ANSI.sub(b"", raw).decode("utf-8", "replace").rstrip("\n")
