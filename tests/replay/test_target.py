"""Functions that misbehave in every way, in a process of their own: each named in a line, none left running."""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING

import pytest

from postmortem.replay.target import Target, TargetError

if TYPE_CHECKING:
    from pathlib import Path

STEPS = """
import math, os, subprocess, sys, time

def good(knobs, seed):
    print("what a step prints goes nowhere")
    return {"sum": knobs["a"] + seed, "nan": math.nan, "inf": -math.inf, "flag": True}

def raises(knobs, seed):
    raise ValueError("no\\n\\x1b[31m such thing")

def hangs(knobs, seed):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open("pids", "w").write(str(os.getpid()))
    time.sleep(600)

def killed(knobs, seed):
    os.kill(os.getpid(), 11)

def quits(knobs, seed):
    os._exit(7)

def leaves(knobs, seed):
    sys.exit(3)

def nothing(knobs, seed):
    return None

def text(knobs, seed):
    return {"loss": "2.5"}

def empty(knobs, seed):
    return {}

def listed(knobs, seed):
    return {"loss": [1.0, 2.0]}

def greedy(knobs, seed):
    return {"size": len(bytearray(4 << 30))}

def endless(knobs, seed):
    return {str(place): 0.0 for place in range(200_000)}

def forger(knobs, seed):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"[1]\\n")
        except OSError:
            pass
    return {"loss": 1.0}
"""


@pytest.fixture(autouse=True)
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps.py").write_text(STEPS)
    monkeypatch.chdir(tmp_path)


def test_what_it_measures_comes_back_with_nan_and_infinities() -> None:
    with Target("steps:good") as target:
        first, second = target.call({"a": 2.0}, 1), target.call({"a": 2.5}, 3)
    assert (first["sum"], second["sum"]) == (3.0, 5.5)
    assert math.isnan(first["nan"])
    assert (first["inf"], first["flag"]) == (-math.inf, 1.0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", r"raised ValueError: no\\n\\x1b\[31m such thing"),
        ("killed", "died by SIGSEGV"),
        ("quits", "ended its process with exit code 7"),
        ("leaves", "raised SystemExit: 3"),
        ("nothing", "returns no dict of named numbers"),
        ("empty", "returns no dict of named numbers"),
        ("text", "raised TypeError: loss is text, and no number"),
        ("listed", "raised TypeError: "),
        ("endless", r"an answer of more than 1,048,576 bytes"),
        ("forger", "wrote into the pipe of its answers"),
        ("missing", "raised AttributeError: module 'steps' has no attribute 'missing'"),
    ],
)
def test_what_fails_is_named_with_its_knobs_and_seed(name: str, reason: str) -> None:
    with (
        Target(f"steps:{name}") as target,
        pytest.raises(TargetError, match=rf"^steps:{name} with a=2\.0, seed 5: {reason}"),
    ):
        target.call({"a": 2.0}, 5)


def test_a_module_that_is_not_there_is_named() -> None:
    with Target("nowhere:step") as target, pytest.raises(TargetError, match="No module named 'nowhere'"):
        target.call({}, 0)


def test_what_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    with Target("steps:hangs", seconds=3.0) as target, pytest.raises(TargetError, match=r"no answer within 3 s"):
        target.call({}, 0)
    group = int((tmp_path / "pids").read_text())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("something of the process group is left")


def test_memory_is_what_it_was_given() -> None:
    with Target("steps:greedy", memory_gb=2.0) as target, pytest.raises(TargetError, match="raised MemoryError"):
        target.call({}, 0)


def test_after_a_failure_the_next_call_starts_anew() -> None:
    with Target("steps:raises") as target:
        for seed in (0, 1):
            with pytest.raises(TargetError, match=f"seed {seed}"):
                target.call({}, seed)
