"""Line ends, codes, broken text, packed files, pipes, and files that grow."""

from __future__ import annotations

import gzip
import lzma
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import zstandard

import postmortem
from postmortem.parsing import dialects
from postmortem.parsing.reader import Reader
from postmortem.sources.chunks import chunks
from tests.parsing.traps.reading import read, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = b"step 1: loss=2.5\nstep 2: loss=1.5\n"
READ = [(1, 1, 2.5), (2, 2, 1.5)]


@pytest.mark.parametrize(
    "log",
    [
        b"step 1: loss=2.5\r\nstep 2: loss=1.5\r\n",
        b"step 1: lo\x00ss=2\x00.5\nstep 2: loss=1.5\x00\x00\n",
        b"step 1: loss=2.5\n" + bytes(100_000) + b"step 2: loss=1.5\n",
        b"step 1: loss=\x1b[1;31m2\x1b[0m\x1b[1;31m.5\x1b[0m\nstep\x1b[0K 2: \x1b[32mloss\x1b[m\x1b[2m=\x1b[m1.5\n",
        b"step 1: loss=2\x1b]0;a title\x07.5\nstep 2: loss=1.5\x1b[2K\n",
        b"step 1: loss=2.5 \xff\xfe\x80\n\xc3\x28 step 2: loss=1.5\n",
        b"\xef\xbb\xbfstep 1: loss=2.5\nstep 2: loss=1.5\n",
    ],
)
def test_no_byte_comes_between_a_line_and_its_values(log: bytes) -> None:
    assert rows(read(log).metrics, "line", "step", "value") == READ


def test_a_name_of_broken_text_is_still_text() -> None:
    (name,) = read(b"step 1: lo\xffss=2.5\n").metrics["source_name"].to_list()
    assert name.encode("utf-8", "strict").endswith(b"ss")


@pytest.mark.parametrize("encoding", ["utf-8", "mac_roman", "cp1252", "cp1254", "ascii"])
def test_mojibake_changes_no_value(encoding: str) -> None:
    text = (
        "✓ x (after cat) [stage 1]: min=-2.5, max=3.5, mean=0.25, std=1.5\n"
        "Step 600: KD Raw: 38.5, Temperature²: 9.0\n"
        "⚠️ Step 700: loss: 2.5 ± 0.25 ✅\n"
    )
    wrong = text if encoding == "utf-8" else text.encode().decode(encoding, errors="replace")
    run = read(wrong)
    assert rows(run.tensors, "scope", "name", "op", "min", "max", "std") == [("1", "x", "cat", -2.5, 3.5, 1.5)]
    assert rows(run.metrics, "step", "name", "value") == [
        (600, "kd_loss", 38.5),
        (600, "temperature_squared", 9.0),
        (700, "loss", 2.5),
    ]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lzma.compress])
def test_a_packed_log_is_that_log(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(pack(LOG))
    assert rows(postmortem.read(str(path)).metrics, "line", "step", "value") == READ


def test_stdin_is_a_log() -> None:
    program = "import postmortem; print(postmortem.read('-').metrics.select('line', 'step', 'value').rows())"
    done = subprocess.run([sys.executable, "-c", program], input=LOG, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode().strip() == str(READ)


def test_a_log_that_grows_is_read_again_with_what_came(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(LOG[:-12])
    first = postmortem.read(str(path))
    assert rows(first.metrics, "line", "step", "value") == READ[:1]
    assert first.logs[0].truncated
    with path.open("ab") as stream:
        stream.write(LOG[-12:])
    second = postmortem.read(str(path))
    assert rows(second.metrics, "line", "step", "value") == READ
    assert not second.logs[0].truncated


def test_what_comes_while_a_log_is_read_waits_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(LOG)
    reader = Reader(str(path), dialects.shipped())
    with chunks(str(path), size=20) as pieces, path.open("ab", buffering=0) as stream:
        reader.read(piece for piece in pieces if stream.write(b"step 9: loss=9.5\n"))
    assert rows(reader.log.frames()["metrics"](), "line", "step", "value") == READ
