"""A comma before decimals is told from one of thousands by the log as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import postmortem
from postmortem.sources.chunks import Bytes
from postmortem.sources.decimals import with_points

if TYPE_CHECKING:
    from pathlib import Path

#: Four numbers that cannot be thousands.
BY_COMMA = b"step: 1, loss: 0,532, acc: 0,5\nstep: 2, loss: 73,61097, acc: 0,75\n"


def text(*chunks: bytes) -> bytes:
    return b"".join(chunk.data() for chunk in with_points(Bytes(chunk, goes_on=False) for chunk in chunks))


def test_a_log_that_writes_commas_is_read_with_points() -> None:
    expected = b"step: 1, loss: 0.532, acc: 0.5\nstep: 2, loss: 73.61097, acc: 0.75\n"
    assert text(BY_COMMA) == expected


def test_cells_between_semicolons_or_bars_tell_as_well() -> None:
    rows = b"1;0,5837;0,6252\n3;0,4914;0,5237\n"
    assert text(b"Epoche;Verlust;Trefferquote\n" + rows) == b"Epoche;Verlust;Trefferquote\n" + rows.replace(b",", b".")
    rows = b"1 | 0,5837 | 0,62\n2 | 0,4837 | 0,72\n3 | 0,3837 | 0,82\n"
    assert text(rows) == rows.replace(b",", b".")


def test_what_may_be_thousands_follows_the_others_also_in_later_chunks() -> None:
    assert text(BY_COMMA, b"loss: 4,784\n").endswith(b"loss: 4.784\n")


def test_a_number_behind_a_word_tells_as_well() -> None:
    assert text(b"Schritt 10: Verlust 1,25; Lernrate 0,638\n" * 4) == b"Schritt 10: Verlust 1.25; Lernrate 0.638\n" * 4


@pytest.mark.parametrize(
    "line",
    [
        b"ids [1,2,3] 1,2,3\n",  # lists stay lists
        b"10,20,30\n",
        b"18.11.2021 done, 5 of 7\n",
    ],
)
def test_other_commas_stay(line: bytes) -> None:
    assert text(BY_COMMA, line).endswith(line)


@pytest.mark.parametrize(
    "log",
    [
        b"",
        b"tokens: 4,784, seen: 1,250\n" * 9,  # thousands
        b"loss: 0,5\nloss: 0,25\n",  # too few
        BY_COMMA + b"loss: 0.5\n",  # both
        b"2026-03-01 12:00:01,12 INFO step 1\n" * 9,  # times of day
        b"saw 4,784 of 1,250 tokens\n" * 9,  # thousands, behind words
    ],
)
def test_a_log_that_does_not_say_so_stays(log: bytes) -> None:
    assert text(log) == log


def test_a_chunk_keeps_its_size_and_says_whether_it_goes_on() -> None:
    (chunk,) = with_points(iter([Bytes(BY_COMMA, goes_on=True)]))
    room = bytearray(chunk.size)
    chunk.write_to(memoryview(room))
    assert (len(room), chunk.goes_on, bytes(room)) == (len(BY_COMMA), True, chunk.data())
    assert chunk.head(33) == b"step: 1, loss: 0.532, acc: 0.5\nst"


def test_values_come_into_the_frames(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(BY_COMMA)
    found = postmortem.read(str(path)).metrics.select("step", "name", "value").rows()
    assert found == [(1, "loss", 0.532), (1, "accuracy", 0.5), (2, "loss", 73.61097), (2, "accuracy", 0.75)]
