"""Lines of hundreds of megabytes: neither memory nor what stands at their end is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from postmortem.parsing import dialects
from postmortem.parsing.reader import Reader
from postmortem.sources.chunks import chunks
from tests.parsing.traps.reading import read, rows

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.collect import Collector

KILL = b"slurmstepd: error: *** JOB 4711 ON n01 CANCELLED AT 2026-01-05T04:10:12 DUE TO TIME LIMIT ***\n"
LONG = 200_000_000
#: Reads a log and says what it found and what memory it had at most, in KiB.
CHILD = """
import json, re, sys, postmortem
from pathlib import Path
run = postmortem.read(sys.argv[1])
print(json.dumps({
    "lines": run.logs[0].lines,
    "events": run.events.select("line", "kind", "step").rows(),
    "jobs": run.jobs.select("line", "job", "state").rows(),
    # of this program alone: getrusage counts what the one that started it had
    "peak": int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]),
}))
"""


def in_a_child(path: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, check=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_hole_that_a_truncation_left_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with path.open("wb") as stream:
        stream.write(b"step 1: loss=2.5\n")
        stream.seek(LONG)
        stream.write(KILL)
    found = in_a_child(path)
    assert found["jobs"] == [[2, "4711", "TIMEOUT"]]
    assert found["lines"] == 2
    assert found["peak"] * 1024 < 500e6


def test_of_an_endless_bar_the_error_at_its_end_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    states = b"".join(
        b"\r  9%%|#    | %d/9999999 [00:12<01:28,  1.00it/s]" % step for step in range(9_000_000, 9_020_000)
    )
    with path.open("wb") as stream:
        stream.write(b"step 1: loss=2.5\n")
        for _ in range(LONG // len(states) + 1):
            stream.write(states)
        stream.write(KILL)
    found = in_a_child(path)
    assert found["events"] == [[2, "time_limit", 9_019_999]]
    assert found["lines"] == 2
    assert found["peak"] * 1024 < 500e6


@pytest.mark.parametrize("begin", [b"", b"\x80", b"\xc3", "\u2588".encode()], ids=["plain", "none", "cut", "wide"])
def test_of_a_long_record_the_error_at_its_end_is_found(begin: bytes) -> None:
    # whether its bytes are text or not
    run = read(b"step 1: loss=2.5\n" + begin + b"." * 100_000 + KILL + b"step 2: loss=1.5\n")
    assert rows(run.metrics, "line", "step", "value") == [(1, 1, 2.5), (3, 2, 1.5)]
    assert rows(run.jobs, "line", "job", "state") == [(2, "4711", "TIMEOUT")]


def in_small_chunks(path: Path, log: bytes) -> Collector:
    path.write_bytes(log)
    reader = Reader(str(path), dialects.shipped())
    with chunks(str(path), size=50_000) as pieces:
        reader.read(pieces)
    return reader.log


def test_chunks_of_records_too_long_for_a_shape_are_read(tmp_path: Path) -> None:
    # three chunks and more, so that a thread begins with one in which no record has a shape
    log = in_small_chunks(tmp_path / "x.log", b"x" * 170_000 + b"\nstep 2: loss=1.5\n")
    assert rows(log.frames()["metrics"](), "line", "step", "value") == [(2, 2, 1.5)]
    assert (log.lines, log.unread) == (2, 1)


def test_a_line_in_several_chunks_is_cut_once(tmp_path: Path) -> None:
    log = in_small_chunks(tmp_path / "x.log", b"step 1: loss=2.5 " + b"." * 170_000 + b"\nstep 2: loss=1.5\n")
    assert rows(log.frames()["metrics"](), "line", "step", "value") == [(1, 1, 2.5), (2, 2, 1.5)]
    assert (log.lines, log.unread, log.cut) == (2, 0, 1)
