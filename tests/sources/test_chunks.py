"""Chunks are the file, cut at the ends of lines as long as there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.errors import PostmortemError
from postmortem.sources import chunks
from postmortem.sources.chunks import Bytes

if TYPE_CHECKING:
    from pathlib import Path


def pieces(path: Path, size: int) -> list[tuple[bytes, bool]]:
    with chunks.chunks(str(path), size) as found:
        return [(chunk.data(), chunk.goes_on) for chunk in found]


def test_lines_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\ntwo\nthree\nfour")
    assert pieces(path, 9) == [(b"one\ntwo\n", False), (b"three\n", False), (b"four", False)]


def test_a_line_longer_than_a_chunk_is_cut_at_a_state_of_its_bar_or_where_it_must_be(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"10%\r20%\r30%\rabcdefghijkl\nz\n")
    assert pieces(path, 10) == [
        (b"10%\r20%\r", True),
        (b"30%\r", True),
        (b"abcdefghij", True),
        (b"kl\nz\n", False),
    ]


@given(st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r"]), min_size=1).map(b"".join), st.integers(1, 12))
def test_what_streams_is_cut_into_the_same_bytes(content: bytes, size: int) -> None:
    blocks = iter([content[i : i + size] for i in range(0, len(content), size)])
    found = list(chunks._pieces(blocks, size))
    assert b"".join(chunk.data() for chunk in found) == content
    assert all(chunk.data().endswith(b"\n") or chunk.goes_on for chunk in found[:-1])
    assert all(chunk.size <= 3 * size for chunk in found)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n" * 10)
    with chunks.chunks(str(path), 8) as found:
        first = next(found)
        path.write_bytes(b"on")
        with pytest.raises(PostmortemError, match="became shorter"):
            first.data()


def test_of_a_file_that_grows_what_it_held_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\ntwo\n")
    with chunks.chunks(str(path), 4) as found:
        first = next(found).data()
        with path.open("ab") as more:
            more.write(b"three\n")
        assert [first, *(chunk.data() for chunk in found)] == [b"one\n", b"two\n"]


def test_a_chunk_in_memory_can_be_copied() -> None:
    buffer = bytearray(3)
    Bytes(b"abc", goes_on=False).write_to(memoryview(buffer))
    assert buffer == b"abc"
