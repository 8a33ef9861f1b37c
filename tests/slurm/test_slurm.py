"""Jobs of a real SLURM without accounting that fail, are killed, or lose their node: named, and the others kept."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from postmortem.cli import main
from postmortem.errors import PostmortemError
from postmortem.replay.executors.slurm import Slurm
from postmortem.replay.protocol import Answer, Lost
from tests.slurm.pieces import Done, Exits, Greedy, Raises, Sleeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.replay.executors import Piece

LOG = str(Path(__file__).parent.parent.parent / "sample_logs" / "job-7204342.log")


def slurm(where: Path, **limits: float) -> Slurm:
    return Slurm(where=where, poll=0.5, **{"memory_gb": 0.5, **limits})  # type: ignore[arg-type]


def run(executor: Slurm, *pieces: Piece) -> list[Answer | Lost]:
    return list(executor.run(pieces))


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def squeue() -> str:
    return ask("squeue", "--noheader")


def folders(where: Path) -> list[Path]:
    return list(where.glob("postmortem-jobs-*"))


def test_answers_come_back_in_order_and_the_folder_goes(tmp_path: Path) -> None:
    answers = run(slurm(tmp_path), Done(), Done())
    assert all(isinstance(answer, Answer) for answer in answers)
    first, second = (answer.question.split()[-1] for answer in answers if isinstance(answer, Answer))
    assert int(second) == int(first) + 1
    assert folders(tmp_path) == []


def test_a_job_that_fails_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    before, raised, exited, after = run(slurm(tmp_path), Done(), Raises(), Exits(), Done())
    assert isinstance(before, Answer)
    assert isinstance(after, Answer)
    assert isinstance(raised, Lost)
    assert raised.what == "raises"
    assert "raised ValueError: no such\\x1b[31m thing" in raised.because
    assert isinstance(exited, Lost)
    assert "FAILED on node01 (NonZeroExitCode), exit code 3:0" in exited.because
    # what the jobs wrote stays for whoever looks into it
    assert len(folders(tmp_path)) == 1


def test_a_job_that_takes_too_much_memory_is_killed_and_slurms_word_for_it_stands(tmp_path: Path) -> None:
    (lost,) = run(slurm(tmp_path, memory_gb=0.2), Greedy())
    assert isinstance(lost, Lost)
    assert "exceeded memory limit" in lost.because


def test_a_job_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    (lost,) = run(slurm(tmp_path, minutes=1), Sleeps())
    assert isinstance(lost, Lost)
    assert "TIMEOUT on node01 (TimeLimit)" in lost.because


def test_a_job_whose_node_is_gone_is_named(tmp_path: Path) -> None:
    outcomes: list[Answer | Lost] = []

    def work(pieces: Sequence[Piece]) -> None:
        outcomes.extend(slurm(tmp_path).run(pieces))

    waiting = threading.Thread(target=work, args=([Sleeps()],))
    waiting.start()
    try:
        deadline = time.monotonic() + 60
        while " R " not in squeue():
            assert time.monotonic() < deadline, squeue()
            time.sleep(0.2)
        ask("scontrol", "update", "nodename=node01", "state=down", "reason=test")
        waiting.join(120)
    finally:
        # a node that reports comes back by itself
        while "idle" not in ask("sinfo", "--noheader", "--format=%T"):
            subprocess.run(["scontrol", "update", "nodename=node01", "state=resume"], check=False)  # noqa: S607
            time.sleep(1)
    assert not waiting.is_alive()
    (lost,) = outcomes
    assert isinstance(lost, Lost)
    assert "NODE_FAIL on node01" in lost.because


def test_what_is_waited_for_no_more_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("postmortem.replay.executors.slurm.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(slurm(tmp_path), Sleeps())
    monkeypatch.undo()
    deadline = time.monotonic() + 30
    while squeue().strip():
        assert time.monotonic() < deadline, squeue()
        time.sleep(0.2)


def test_a_partition_that_is_none_is_told_in_slurms_words(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match=r"the job was not taken: .*[Ii]nvalid partition"):
        run(Slurm("nowhere", where=tmp_path), Done())
    assert folders(tmp_path) == []


def test_a_log_is_replayed_there_as_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = {}
    for place, where in (("local", []), ("slurm", ["--partition", "main"])):
        file = tmp_path / f"{place}.json"
        options = ["--draws", "64", "--seeds", "2", "--executor", place, *where, "-o", str(file)]
        result = CliRunner().invoke(main, ["replay", LOG, *options])
        assert (result.exit_code, result.stderr) == (0, "")
        told[place] = json.loads(file.read_text())
    assert told["slurm"]["verdicts"] == told["local"]["verdicts"]
    assert [r["effect"] for r in told["slurm"]["replays"]] == [r["effect"] for r in told["local"]["replays"]]
    assert folders(tmp_path) == []


def test_a_knob_that_kills_its_job_costs_its_own_verdict_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "killing.py").write_text(
        "import os\n"
        "def step(knobs, seed):\n"
        "    if knobs['a'] == 2:\n"
        "        os.kill(os.getppid(), 9)\n"
        "    return {'m': seed + knobs['a']}\n"
    )
    monkeypatch.chdir(tmp_path)
    options = ["--knob", "a=1,2,-100", "--expect", "m < 0", "--executor", "slurm"]
    result = CliRunner().invoke(main, ["replay", "--target", "killing:step", *options])
    assert result.exit_code == 2
    assert "a 1 -> -100           confirmed" in result.stdout
    assert "a 1 -> 2              inconclusive" in result.stdout
    assert result.stderr.startswith("postmortem: killing:step with a=2.0: job ")
    assert "FAILED on node01" in result.stderr
