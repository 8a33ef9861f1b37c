"""What each target begins with: lines of known forms, and the heads by which readers know their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.parsing.lines import OTHERS, SAMPLES
from tests.readers.heads import HEADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: What stands behind a file's head.
_TAILS: Final = (
    b"",
    b"\n",
    b'{"step": 2, "loss": NaN}]}',
    b"2,nan,1e999\n",
    b"2|CANCELLED by 0|0:9\n",
    b"\xff\x00" * 20,
)


def _logs() -> Iterator[bytes]:
    """Each sample alone, and ten at a time between ends of lines of all kinds. The first byte is the chunks' size."""
    lines = [text.encode() for text in (*SAMPLES, *OTHERS)]
    yield from (b"\xff" + line + b"\n" for line in lines)
    for first in range(0, len(lines), 10):
        ends = (b"\n", b"\r", b"\r\n", b"\x1b[0m\n", b"\x00\n", b"")
        group = lines[first : first + 10]
        yield b"\x10" + b"".join(line + ends[i % len(ends)] for i, line in enumerate(group))


def _files() -> Iterator[bytes]:
    """Each reader's head with each of some tails. The first byte chooses the reader."""
    for index, (_, head) in enumerate(HEADS.values()):
        yield from (bytes([index]) + head + tail for tail in _TAILS)
    yield from (bytes([len(HEADS)]) + text.encode() + b"\n" for text in OTHERS)


#: The targets; each is a module here.
SEEDS: Final[dict[str, Callable[[], Iterator[bytes]]]] = {"logs": _logs, "files": _files}


def write(target: str, folder: Path) -> None:
    """Put a target's seeds into a folder, one a file."""
    for number, seed in enumerate(SEEDS[target]()):
        (folder / f"{number:05}").write_bytes(seed)
