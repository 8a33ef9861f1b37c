"""Bytes come from files, packed files and pipes; what cannot be read is refused in one line that says what to do."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from postmortem.errors import PostmortemError
from postmortem.sources import stream

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = b"step 1: loss=2.5\nstep 2: loss=1.5\n" * 1000


def read(path: Path) -> bytes:
    with stream.opened(str(path)) as opened:
        return b"".join(iter(lambda: opened.read(1000), b""))


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("x.log")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, bz2.compress, zstandard.compress, lambda data: gzip.compress(data) * 2]
)
def test_a_packed_log_is_read_whatever_its_name(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(pack(LOG))
    assert read(path) in {LOG, LOG * 2}
    assert not stream.is_plain(str(path))
    assert stream.sha256(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x89PNG\r\n", "picture"),
        (b"Salted__rest", "decrypt"),
        (b"\xff\xfes\x00t\x00", "UTF-16"),
        (bytes(range(1, 32)) * 20, "binary"),
        (b"\x00" * 100, "NUL"),
        (tarred(LOG), "tar"),
        (gzip.compress(tarred(LOG)), "tar"),
        (gzip.compress(gzip.compress(LOG)), "packed twice"),
        (gzip.compress(b""), "nothing"),
        (gzip.compress(LOG)[:60], "ends in the middle"),
        (lzma.compress(LOG)[:60], "ends in the middle"),
        (gzip.compress(LOG)[:20] + b"garbage" * 9, "cannot be unpacked"),
        (b"\x28\xb5\x2f\xfd" + b"\x80" * 90, "cannot be unpacked"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(data)
    with pytest.raises(PostmortemError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_left_before_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_BOMB_SIZE", 2**20)
    path = tmp_path / "x.log"
    path.write_bytes(zstandard.compress(b"a\n" * 2**24))
    with pytest.raises(PostmortemError, match="unpack to more than"):
        read(path)


def test_a_missing_file_a_folder_and_no_path_are_refused(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.log", "no such file"), (tmp_path, "folder"), (Path("a\0b"), "no path")):
        with pytest.raises(PostmortemError, match=reason):
            read(path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PostmortemError, match="permissions"):
        read(tmp_path / "x.log")


def test_a_pipe_is_read_to_its_end_and_again(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LOG,))
    writer.start()
    assert read(path) == LOG
    writer.join()
    with stream.opened(str(path), again=True) as opened:
        assert opened.readline() == b"step 1: loss=2.5\n"
    assert stream.sha256(str(path)) == hashlib.sha256(LOG).hexdigest()


@pytest.mark.parametrize("written", [b"", b"step 1: loss=2.5\n"])
def test_a_pipe_that_stops_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setenv("POSTMORTEM_PATIENCE", "0.2")
    # an end for writing that stays open, as that of a program that hangs
    end = os.open(path, os.O_RDWR)
    os.write(end, written)
    with pytest.raises(PostmortemError, match=f"nothing came through the pipe for 0.2 s, after {len(written)} bytes"):
        read(path)
    os.close(end)
