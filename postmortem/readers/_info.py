"""What is known of a file that a reader has read: the counts that a report needs to be honest about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class FileInfo:
    """A file that was read. `lines` are physical lines; of a `binary` file they are its records, from 1."""

    path: str
    reader: str
    sha256: str
    bytes: int
    lines: int
    unread_lines: int = 0  # lines or records that nobody understood
    cut_lines: int = 0  # of them those that are too long to be read
    truncated: bool = False  # the last line or record is cut off
    binary: bool = False
    dialects: list[str] = field(default_factory=list)  # whose assumptions stand behind the rows
    left_out: Counter[str] = field(default_factory=Counter)  # what was understood and has no place in a frame
    stopped: str | None = None  # why the reading ended before the file did
