"""A log's bytes from wherever they come: a file, a compressed one, a pipe, stdin. What holds no log is refused here.

PostmortemError, with what to do, for what is missing, empty, a folder, unreadable, binary, or broken on the way.
"""

from __future__ import annotations

import atexit
import bz2
import hashlib
import io
import lzma
import os
import select
import shutil
import sys
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from postmortem.errors import PostmortemError
from postmortem.sources.wrapped import unwrapped, wrapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from typing_extensions import Buffer

HEAD: Final = 65536
_IN_MEMORY: Final = 64 * 2**20
#: Logs shrink to a hundredth at most, endless bars included; what grows 500 times to more than this is no log.
_BOMB_RATIO: Final = 500
_BOMB_SIZE: Final = 256 * 2**20
#: zstd asks for a window of memory; one for a log never needs more.
_WINDOW: Final = 128 * 2**20
#: First bytes of files that hold no log, and what they are.
_MAGIC: Final = {
    b"PK\x03\x04": "a zip archive or a torch checkpoint; unpack it first",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
    b"Salted__": "encrypted by openssl; decrypt it first",
    b"\x89HDF": "an HDF5 file",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a rar archive; unpack it first",
    b"SQLite format 3": "a database",
    b"PAR1": "a parquet file",
    b"\x93NUMPY": "a numpy array",
    b"\x80\x02": "a pickle",
    b"\x80\x04": "a pickle",
}
_CONTROL: Final = bytes(set(range(32)) - {0, 7, 8, 9, 10, 12, 13, 27})
#: Text holds next to no control bytes; a NUL may be the hole that a truncation left.
_CONTROL_SHARE: Final = 0.01
#: What stdin and pipes held when they were last read.
_kept: dict[str, IO[bytes]] = {}


@contextmanager
def opened(path: str, *, again: bool = False) -> Iterator[IO[bytes]]:
    """The log's text as a stream of bytes, unpacked, and out of any JSON around its lines.

    `again`: what could be read only once is read from memory.
    """
    raw = _raw(path, again=again)
    try:
        name, unpack = _packing(raw.read(6))
        raw.seek(0)
        if unpack is None:
            head = raw.read(HEAD)
            _refuse(path, head, "")
            raw.seek(0)
            yield unwrapped(raw, head)
            return
        with io.BufferedReader(_Unpacked(path, name, raw, unpack(raw)), HEAD) as unpacked:
            head = unpacked.peek(HEAD)
            _refuse(path, head, f"{name} data that holds ")
            yield unwrapped(unpacked, head)
    finally:
        if path not in _kept:
            raw.close()


def is_plain(path: str) -> bool:
    """True for a regular file that is neither packed nor wrapped: one in which a byte's place can be gone to."""
    if path == "-" or not Path(path).is_file():
        return False
    with Path(path).open("rb") as stream:
        head = stream.read(HEAD)
    return _packing(head)[1] is None and wrapping(head) is None


def sha256(path: str) -> str:
    """The digest of the file as it lies there, packed or not."""
    raw = _raw(path, again=True)
    try:
        return hashlib.file_digest(raw, "sha256").hexdigest()  # type: ignore[arg-type]  # a binary stream is enough
    finally:
        if path not in _kept:
            raw.close()


class _Unpacked(io.RawIOBase):
    """The unpacked side of a compressed file, as long as it stays in proportion."""

    def __init__(self, path: str, name: str, packed: IO[bytes], unpacked: IO[bytes]) -> None:
        self._path, self._name, self._packed, self._unpacked = path, name, packed, unpacked
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        with _broken(self._path, self._name):
            data = self._unpacked.read(len(view))
        view[: len(data)] = data
        self._size += len(data)
        if self._size > _BOMB_SIZE and self._size > _BOMB_RATIO * self._packed.tell():
            raise PostmortemError(
                f"{self._path}: {self._packed.tell():,} bytes of {self._name} data unpack to more than "
                f"{self._size:,}: no log is like that; unpack it by hand if it is one"
            )
        return len(data)


@contextmanager
def _broken(path: str, name: str) -> Iterator[None]:
    import zstandard
    from isal.isal_zlib import IsalError

    try:
        yield
    except EOFError:
        raise PostmortemError(f"{path}: {name} data that ends in the middle; copy the file again") from None
    except (OSError, zlib.error, IsalError, lzma.LZMAError, zstandard.ZstdError) as error:  # type: ignore[misc]  # isal's
        raise PostmortemError(f"{path}: {name} data that cannot be unpacked: {str(error) or 'broken'}") from None


def _packing(head: bytes) -> tuple[str, Callable[[IO[bytes]], IO[bytes]] | None]:
    if head.startswith(b"\x1f\x8b"):
        from isal import igzip

        return "gzip", lambda raw: cast("IO[bytes]", igzip.IGzipFile(fileobj=raw))  # type: ignore[no-untyped-call]
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstandard", _zstandard
    if head.startswith(b"\xfd7zXZ"):
        return "xz", lzma.LZMAFile
    if head.startswith(b"BZh"):
        return "bzip2", bz2.BZ2File
    return "", None


def _zstandard(raw: IO[bytes]) -> IO[bytes]:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(raw, read_across_frames=True)


def _raw(path: str, *, again: bool) -> IO[bytes]:
    """A seekable stream. What can be read only once, stdin and pipes, is kept so that it can be read again."""
    if path != "-" and not Path(path).is_fifo():
        return open_binary(path)
    if not again or path not in _kept:
        kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it outlives this function
        try:
            _drain(path, kept)
        except BaseException:
            kept.close()
            raise
        if old := _kept.pop(path, None):
            old.close()
        _kept[path] = kept
    _kept[path].seek(0)
    return _kept[path]


def _drain(path: str, kept: IO[bytes]) -> None:
    """All that a pipe holds, as long as something comes."""
    patience = _patience()
    try:
        source = sys.stdin.fileno() if path == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except io.UnsupportedOperation:
        # standard input that another program put into memory
        shutil.copyfileobj(sys.stdin.buffer, kept)
        return
    began = False  # a pipe that nobody has opened for writing yet looks like one that has ended
    try:
        poll = select.poll()
        poll.register(source, select.POLLIN | select.POLLHUP)
        while True:
            if not poll.poll(patience * 1000):
                raise PostmortemError(
                    f"{path}: nothing came through the pipe for {patience:g} s, after {kept.tell():,} bytes; "
                    "POSTMORTEM_PATIENCE=SECONDS waits longer"
                )
            data = os.read(source, 2**20)
            if not data and (began or path == "-"):
                return
            began = began or bool(data)
            kept.write(data)
    except BlockingIOError:
        raise PostmortemError(f"{path}: another program reads from this pipe") from None
    finally:
        if path != "-":
            os.close(source)


def _patience() -> float:
    text = os.environ.get("POSTMORTEM_PATIENCE", "60")
    try:
        return max(0.0, float(text))
    except ValueError:
        raise PostmortemError(f"POSTMORTEM_PATIENCE={text}: not a number of seconds") from None


def open_binary(path: str | Path) -> BufferedReader:
    """The bytes of a file. PostmortemError, with what to do, for what cannot be opened."""
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
    except ValueError:
        raise PostmortemError(f"{str(path)!r}: no path of a file") from None


def _refuse(path: str, head: bytes, inside: str) -> None:
    if not head:
        raise PostmortemError(
            f"{path}: {inside or 'the file is '}{'nothing' if inside else 'empty'}, there is nothing to judge"
        )
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise PostmortemError(f"{path}: {inside or 'not a text log but '}{what}")
    if _packing(head)[1]:
        raise PostmortemError(f"{path}: {inside}{_packing(head)[0]} data: packed twice; unpack it once by hand")
    if head[257:262] == b"ustar":
        raise PostmortemError(f"{path}: {inside or 'not a text log but '}a tar archive; unpack it first")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\x00" in head[2:4]:
        raise PostmortemError(f"{path}: UTF-16 text; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)")
    text = head.replace(b"\x00", b"")
    control = len(text) - len(text.translate(None, _CONTROL))
    if control > _CONTROL_SHARE * len(head):
        raise PostmortemError(f"{path}: {inside}binary data, not a text log ({control} control bytes at its start)")
    if not text.strip():
        raise PostmortemError(f"{path}: holds nothing but NUL bytes and blanks, there is nothing to judge")


@atexit.register
def _forget() -> None:
    for kept in _kept.values():
        kept.close()
