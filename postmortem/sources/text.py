"""A log file as clean text records: lines split at LF, states of a progress bar at CR, no control codes.

Bytes that are no UTF-8 become U+FFFD, one run of them as good as another: patterns match on the ASCII skeleton.
"""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_ANSI: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # window titles and hyperlinks
    r"|\x1b[@-Z\\-_]"
)
_HEAD: Final = 65536
_IN_MEMORY: Final = 64 * 2**20
#: What stdin and pipes held when they were last read.
_kept: dict[str, IO[bytes]] = {}
#: First bytes of files that hold no log, and what they are.
_MAGIC: Final = {
    b"\x1f\x8b": "gzip data; unpack it first",
    b"\x28\xb5\x2f\xfd": "zstandard data; unpack it first",
    b"\xfd7zXZ": "xz data; unpack it first",
    b"PK\x03\x04": "a zip archive or a torch checkpoint",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
}
_CONTROL: Final = bytes(set(range(32)) - {0, 7, 8, 9, 10, 12, 13, 27})
#: Text holds next to no control bytes; a NUL may be the hole that a truncation left.
_CONTROL_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Record:
    """One state of one line. `line` counts from 1, `record` from 0, `offset` in bytes to the line's start."""

    line: int
    record: int
    offset: int
    text: str


@dataclass(slots=True)
class TextLog:
    """A log to be read once. Sizes, hash and counts are final when `records` is exhausted.

    PostmortemError, with what to do, for what is missing, empty, a folder, unreadable or binary.
    """

    path: str
    bytes: int = 0
    lines: int = 0
    sha256: str = ""
    truncated: bool = False
    blank_lines: int = 0

    def records(self) -> Iterator[Record]:
        """The records in order, control codes and NUL bytes removed. Blank ones are left out."""
        digest = hashlib.sha256()
        with _open(self.path) as stream:
            _refuse_binary(self.path, stream.read(_HEAD))
            stream.seek(0)
            raw = b""
            for raw in stream:
                digest.update(raw)
                self.lines += 1
                offset, self.bytes = self.bytes, self.bytes + len(raw)
                states = clean(raw)
                if not states:
                    self.blank_lines += 1
                    yield Record(self.lines, 0, offset, "")
                for index, text in states:
                    yield Record(self.lines, index, offset, text)
        if self.bytes == 0:
            raise PostmortemError(f"{self.path}: the file is empty, there is nothing to judge")
        self.truncated = not raw.endswith((b"\n", b"\r"))
        self.sha256 = digest.hexdigest()


def clean(raw: bytes) -> list[tuple[int, str]]:
    """The states of one physical line with their places in it, as text without codes; blank ones left out."""
    text = raw.decode("utf-8", errors="replace")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\x00" in text:
        text = text.replace("\x00", "")
    return [(i, state.rstrip()) for i, state in enumerate(text.split("\r")) if not (not state or state.isspace())]


def excerpt(path: str, lines: set[int], width: int = 400) -> dict[int, str]:
    """The last state of each of these physical lines, at most `width` characters."""
    found: dict[int, str] = {}
    if not lines:
        return found
    last = max(lines)
    with _open(path, again=True) as stream:
        for number, raw in enumerate(stream, 1):
            if number in lines:
                states = clean(raw)
                found[number] = states[-1][1][:width] if states else ""
            if number >= last:
                break
    return found


@atexit.register
def _forget() -> None:
    for kept in _kept.values():
        kept.close()


def _open(path: str, *, again: bool = False) -> AbstractContextManager[IO[bytes]]:
    """A seekable stream. What can be read only once, stdin and pipes, is kept so that it can be read again."""
    if path != "-" and not Path(path).is_fifo():
        return _file(path)
    if not again or path not in _kept:
        kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it outlives this function
        with nullcontext(sys.stdin.buffer) if path == "-" else _file(path) as source:
            shutil.copyfileobj(source, kept)
        if old := _kept.pop(path, None):
            old.close()
        _kept[path] = kept
    _kept[path].seek(0)
    return nullcontext(_kept[path])


def _file(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise PostmortemError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise PostmortemError(f"{path}: a folder, not a log; name one file in it") from None
    except PermissionError:
        raise PostmortemError(f"{path}: not readable; check its permissions") from None
    except OSError as error:
        raise PostmortemError(f"{path}: cannot be opened: {error.strerror}") from None


def _refuse_binary(path: str, head: bytes) -> None:
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise PostmortemError(f"{path}: not a text log but {what}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\x00" in head[2:4]:
        raise PostmortemError(f"{path}: UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    text = head.replace(b"\x00", b"")
    control = len(text) - len(text.translate(None, _CONTROL))
    if head and control > _CONTROL_SHARE * len(head):
        raise PostmortemError(f"{path}: binary data, not a text log ({control} control bytes at its start)")
    if head and not text.strip():
        raise PostmortemError(f"{path}: holds nothing but NUL bytes and blanks, there is nothing to judge")
