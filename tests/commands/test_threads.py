"""A small log is judged by one thread, which is settled before polars is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from postmortem.commands import _threads
_threads.fit(sys.argv[1])
import polars
print(polars.thread_pool_size())
"""


def threads(log: Path, **environment: str) -> int:
    known = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(log)], env=known | environment, capture_output=True, text=True, check=True
    )
    return int(told.stdout)


@pytest.mark.parametrize(("size", "one"), [(4_000_000, True), (4_000_001, False)])
def test_one_thread_reads_a_small_log(tmp_path: Path, size: int, one: bool) -> None:  # noqa: FBT001
    log = tmp_path / "run.log"
    log.write_bytes(b"\n" * size)
    assert threads(log) == (1 if one else len(os.sched_getaffinity(0)))


def test_what_the_user_says_counts(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("step 1: loss=2.0\n")
    assert threads(log, POLARS_MAX_THREADS="3") == 3


def test_a_folder_and_what_is_not_there_leave_it_as_it_is(tmp_path: Path) -> None:
    assert threads(tmp_path) == threads(tmp_path / "missing") == len(os.sched_getaffinity(0))
