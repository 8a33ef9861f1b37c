"""Physical lines of a file as bytes, with number and offset, none of them larger than memory likes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.readers._info import FileInfo
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Bytes from a file's start, and from its end, by which a reader knows it.
HEAD: Final = 65_536
#: Bytes of a line that are kept; what is longer is no record of a training run.
LONGEST: Final = 16 * 2**20


class Line(NamedTuple):
    """One physical line. `number` counts from 1, `offset` is in bytes; of a `cut` line only the start is there."""

    number: int
    offset: int
    raw: bytes
    cut: bool

    @property
    def text(self) -> str:
        """The line without its end, a byte order mark or NUL bytes; bytes that are no UTF-8 become U+FFFD."""
        return self.raw.decode("utf-8", errors="replace").lstrip("\ufeff").replace("\x00", "").rstrip("\r\n")


@dataclass(slots=True)
class Lines:
    """A file to be read once. Counts and hash are final when it is exhausted."""

    path: Path
    bytes: int = 0
    lines: int = 0
    cut_lines: int = 0
    sha256: str = ""
    truncated: bool = False

    def __iter__(self) -> Iterator[Line]:
        digest = hashlib.sha256()
        raw = b""
        with open_binary(self.path) as stream:
            while raw := stream.readline(LONGEST):
                self.lines += 1
                digest.update(raw)
                offset, self.bytes, piece = self.bytes, self.bytes + len(raw), raw
                while not piece.endswith(b"\n") and (piece := stream.readline(LONGEST)):
                    digest.update(piece)
                    self.bytes += len(piece)
                cut = self.bytes - offset > len(raw)
                self.cut_lines += cut
                self.truncated = not (piece or raw).endswith(b"\n")
                yield Line(self.lines, offset, raw, cut)
        self.sha256 = digest.hexdigest()

    def info(self, reader: str) -> FileInfo:
        """The counts of this file, once it is read."""
        return FileInfo(
            str(self.path),
            reader,
            self.sha256,
            self.bytes,
            self.lines,
            cut_lines=self.cut_lines,
            truncated=self.truncated,
        )


def texts(head: bytes) -> list[str]:
    """The lines of a file's first bytes that are whole and not blank."""
    lines = head.decode("utf-8", errors="replace").lstrip("\ufeff").split("\n")
    if len(head) >= HEAD:
        del lines[-1]
    return [line for line in lines if line.strip()]


def last_texts(path: Path) -> list[str]:
    """The lines of a file's last bytes that are whole and not blank: a log may begin as a table and end in an error."""
    with open_binary(path) as stream:
        before = max(stream.seek(0, 2) - HEAD, 0)
        stream.seek(before)
        lines = stream.read(HEAD).decode("utf-8", errors="replace").split("\n")
    return [line for line in lines[1 if before else 0 :] if line.strip()]
