"""What is made of a controller's answers, by a `scontrol` that says what it is told. A real one: tests/slurm."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.replay.executors.slurm import Slurm, _Watch
from postmortem.replay.protocol import Lost

if TYPE_CHECKING:
    from pathlib import Path

ENDED = "JobId=7 JobName=x JobState={} Reason={} ExitCode={} NodeList={}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time that passes when it is told to."""
    time = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("postmortem.replay.executors.slurm.time.monotonic", lambda: time.now)
    return time


@pytest.fixture
def watch(tmp_path: Path) -> _Watch:
    paths = SimpleNamespace(result_pickle=tmp_path / "result.pkl", stdout=tmp_path / "log.out")
    return _Watch("piece", SimpleNamespace(job_id="7", paths=paths))


def answer(folder: Path, monkeypatch: pytest.MonkeyPatch, out: str = "", err: str = "") -> None:
    """Put a `scontrol` in front of all others that prints this."""
    (folder / "out").write_text(out)
    (folder / "err").write_text(err)
    program = folder / "scontrol"
    program.write_text(f"#!/bin/sh\ncat {folder}/out; cat {folder}/err >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("TIMEOUT", "TimeLimit", "0:0", "n3"), "TIMEOUT on n3 (TimeLimit), exit code 0:0"),
        (("OUT_OF_MEMORY", "OutOfMemory", "0:125", "n3"), "OUT_OF_MEMORY on n3 (OutOfMemory), exit code 0:125"),
        (("NODE_FAIL", "NodeDown", "0:0", "n[3-4]"), "NODE_FAIL on n[3-4] (NodeDown), exit code 0:0"),
        (("CANCELLED", "None", "0:15", "(null)"), "CANCELLED, exit code 0:15"),
    ],
)
def test_an_end_without_a_result_is_lost_once_a_slow_disk_had_its_time(
    told: tuple[str, ...],
    words: str,
    clock: SimpleNamespace,
    watch: _Watch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(tmp_path, monkeypatch, ENDED.format(*told))
    assert watch.look() is None
    clock.now += 19
    assert watch.look() is None
    clock.now += 2
    assert watch.look() == Lost(what="piece", because=f"job 7: {words}")


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED"])
def test_a_job_that_can_still_answer_is_waited_for(
    state: str, clock: SimpleNamespace, watch: _Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(tmp_path, monkeypatch, ENDED.format(state, "None", "0:0", "n3"))
    for _ in range(3):
        assert watch.look() is None
        clock.now += 10_000


def test_a_job_that_is_forgotten_is_lost(
    clock: SimpleNamespace, watch: _Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(tmp_path, monkeypatch, err="slurm_load_jobs error: Invalid job id specified\n")
    assert watch.look() is None
    clock.now += 21
    assert watch.look() == Lost(what="piece", because="job 7: SLURM knows it no more")


def test_a_controller_that_is_silent_has_two_minutes(
    clock: SimpleNamespace, watch: _Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(tmp_path, monkeypatch, err="Unable to contact slurm controller\n")
    assert watch.look() is None
    clock.now += 119
    assert watch.look() is None
    answer(tmp_path, monkeypatch, ENDED.format("RUNNING", "None", "0:0", "n3"))
    assert watch.look() is None
    answer(tmp_path, monkeypatch, err="Unable to contact slurm controller\n")
    clock.now += 121
    assert watch.look() is None
    clock.now += 21
    lost = watch.look()
    assert isinstance(lost, Lost)
    assert "the controller does not answer: Unable to contact slurm controller" in lost.because


def test_what_slurm_says_in_the_jobs_output_goes_along_and_acts_on_nothing(
    clock: SimpleNamespace, watch: _Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(tmp_path, monkeypatch, ENDED.format("FAILED", "NonZeroExitCode", "137:0", "n3"))
    (tmp_path / "log.out").write_text(
        "loss=1\nslurmstepd-n3: error: StepId=7.0 exceeded memory limit\x1b[2J (9 > 5), being killed\n"
        "srun: error: n3: task 0: Killed\n"
    )
    watch.look()
    clock.now += 21
    lost = watch.look()
    assert isinstance(lost, Lost)
    assert lost.because.endswith("; SLURM says: StepId=7.0 exceeded memory limit\\x1b[2J (9 > 5), being killed")


def test_a_result_that_cannot_be_read_is_lost(watch: _Watch, tmp_path: Path) -> None:
    (tmp_path / "result.pkl").write_bytes(b"half a pick")
    lost = watch.look()
    assert isinstance(lost, Lost)
    assert "its result cannot be read" in lost.because


def test_without_slurm_it_says_where_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostmortemError, match="no sbatch here; run it on a machine of the cluster"):
        next(Slurm(where=tmp_path).run([]))
    assert list(tmp_path.iterdir()) == []


def test_without_submitit_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "submitit.slurm.slurm", None)
    with pytest.raises(PostmortemError, match=r"pip install 'postmortem\[slurm\]'"):
        next(Slurm(where=tmp_path).run([]))
