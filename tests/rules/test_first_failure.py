"""Of many failures in one log, the one that the others followed is named first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from postmortem.analysis import analyze

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.incident import Incident

STEPS: Final = "step 1: loss=2.0\nstep 2: loss=1.9\nstep 3: loss=1.9\n"


def raised(rank: int, exception: str) -> str:
    stack = f'Traceback (most recent call last):\n  File "/opt/train.py", line 3, in step\n{exception}\n'
    return "".join(f"[rank{rank}]: {line}\n" for line in stack.splitlines())


def watchdog(rank: int, *, op: str = "ALLREDUCE") -> str:
    return (
        f"[Rank {rank}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=812, OpType={op}, NumelIn=4096, "
        "NumelOut=4096, Timeout(ms)=600000) ran for 600034 milliseconds before timing out.\n"
    )


TABLE: Final = (
    "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\n"
    "Root Cause (first observed failure):\n"
    "[0]:\n"
    "  time      : 2026-01-05_04:10:12\n"
    "  host      : node01\n"
    "  rank      : 3 (local_rank: 3)\n"
    "  exitcode  : 1 (pid: 4071)\n"
)
CANCELLED: Final = "slurmstepd: error: *** JOB 101 ON node01 CANCELLED AT 2026-01-05T04:10:12"
KILLED: Final = "RuntimeError: DataLoader worker (pid 4201) is killed by signal: Killed."
TERMINATED: Final = "RuntimeError: DataLoader worker (pid 4201) is killed by signal: Terminated."
CASES: Final = {
    "an exception before the timeouts of the others": (
        STEPS + raised(3, "KeyError: 'label'") + watchdog(0) + watchdog(1) + watchdog(2) + TABLE,
        "python/key-missing",
    ),
    "an exception that is written after those of the others": (
        STEPS
        + raised(0, "ConnectionResetError: [Errno 104] Connection reset by peer")
        + raised(3, "KeyError: 'label'"),
        "python/key-missing",
    ),
    "the rank that torchrun names": (
        STEPS + raised(0, "ValueError: out of step") + raised(3, "KeyError: 'label'") + TABLE,
        "python/key-missing",
    ),
    "a kill for memory that is told last": (
        STEPS
        + raised(0, KILLED)
        + "slurmstepd: error: Detected 1 oom_kill event in StepId=101.batch. Some of the step tasks were OOM Killed.\n"
        + CANCELLED
        + " ***\n",
        "slurm/out-of-memory",
    ),
    "a time limit, and what the processes say as they are ended": (
        STEPS + CANCELLED + " DUE TO TIME LIMIT ***\n" + raised(0, TERMINATED) + raised(1, "ValueError: closed"),
        "slurm/time-limit",
    ),
    "an exception after which the job stood until its limit": (
        STEPS + raised(1, "KeyError: 'label'") + CANCELLED + " DUE TO TIME LIMIT ***\n",
        "python/key-missing",
    ),
    "a GPU that is gone, and the illegal access that the program sees": (
        STEPS
        + raised(1, "RuntimeError: CUDA error: an illegal memory access was encountered")
        + "NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.\n",
        "cuda/xid-hardware",
    ),
    "the rank that does not report": (
        "world_size: 4\n" + STEPS + watchdog(0) + watchdog(1) + watchdog(3),
        "dist/silent-rank",
    ),
    "ranks in different collectives": (
        "world_size: 2\n" + STEPS + watchdog(0) + watchdog(1, op="BROADCAST"),
        "dist/collective-mismatch",
    ),
    "out of memory in one rank": (
        STEPS
        + raised(1, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.20 GiB.")
        + raised(
            0, "torch.distributed.DistBackendError: NCCL error in: a.cpp:1, remote process exited, NCCL version 2.20.5"
        ),
        "cuda/out-of-memory",
    ),
    "a sample that cannot be read, wrapped by the loader": (
        STEPS
        + raised(0, "ValueError: Caught ValueError in DataLoader worker process 3.")
        + raised(0, "ValueError: truncated image"),
        "data/worker-error",
    ),
    "a preemption, and the signal that it sends": (
        STEPS
        + CANCELLED
        + " DUE TO PREEMPTION ***\n"
        + raised(0, "torch.distributed.elastic.multiprocessing.api.SignalException: Process 88 got signal: 15"),
        "slurm/preempted",
    ),
    "a kill without a reason": (
        STEPS
        + "E0105 api.py:826] failed (exitcode: -9) local_rank: 3 (pid: 4071) of binary: /opt/bin/python\n"
        + TABLE,
        "host/killed",
    ),
    "the watchdog's own exception after its timeout": (
        STEPS + watchdog(0) + "terminate called after throwing an instance of 'c10::DistBackendError'\n"
        "Fatal Python error: Aborted\n",
        "dist/nccl-timeout",
    ),
    "an exception that was raised while another was handled": (
        STEPS
        + raised(0, "KeyError: 'cached'")
        + "[rank0]: During handling of the above exception, another exception occurred:\n"
        + raised(0, "RuntimeError: CUDA error: out of memory"),
        "cuda/out-of-memory",
    ),
    "a crash in compiled code that only srun tells of": (
        STEPS + "srun: error: node01: task 1: Segmentation fault (core dumped)\n",
        "host/exit-code",
    ),
    "only timeouts": (STEPS + watchdog(0), "dist/nccl-timeout"),
}


def judged(folder: Path, log: str) -> Incident:
    path = folder / "run.log"
    path.write_text(log)
    return analyze(str(path), replay=False)[0]


@pytest.mark.parametrize(("log", "root"), CASES.values(), ids=CASES)
def test_the_first_failure_is_the_root_cause(tmp_path: Path, log: str, root: str) -> None:
    incident = judged(tmp_path, log)
    assert incident.rule_errors == []
    assert incident.root_causes[:1] == [root]


@pytest.mark.parametrize(("log", "root"), CASES.values(), ids=CASES)
def test_what_follows_is_not_a_second_root_cause(tmp_path: Path, log: str, root: str) -> None:
    assert judged(tmp_path, log).root_causes == [root]


@pytest.mark.parametrize(
    "log",
    [
        STEPS + raised(0, "ValueError: odd batch") + "".join(f"[rank0]: step {n}: loss=1.8\n" for n in range(4, 14)),
        STEPS + "UserWarning: the default will change\nsrun: job 101 queued and waiting for resources\n",
        STEPS + "node01:41:88 [0] NCCL WARN NET/Plugin : no plugin found\nstep 4: loss=1.9\nTraining completed\n",
        STEPS + "Training completed\nSegmentation fault (core dumped)\n",
        STEPS + "Training completed\n" + raised(0, "BrokenPipeError: [Errno 32] Broken pipe"),
        STEPS + "End training....\n" + raised(0, "OSError: handle is closed"),
    ],
    ids=[
        "an exception that is handled",
        "warnings",
        "NCCL's plug-ins",
        "a crash at exit",
        "a pipe after the end",
        "a thread that writes on after the end",
    ],
)
def test_a_run_that_did_not_fail_has_no_root_cause(tmp_path: Path, log: str) -> None:
    incident = judged(tmp_path, log)
    assert incident.root_causes == []
    assert {finding.severity for finding in incident.findings} <= {"info", "low"}


def test_a_job_that_was_cancelled_by_hand_ended_for_that_and_is_no_alarm(tmp_path: Path) -> None:
    aborted = " ***\nsrun: Job step aborted: Waiting up to 32 seconds for job step to finish.\n"
    incident = judged(tmp_path, STEPS + CANCELLED + aborted)
    assert incident.root_causes == ["slurm/cancelled"]
    assert {finding.severity for finding in incident.findings} <= {"info", "low"}
    done = judged(tmp_path, STEPS + "Training completed\n" + CANCELLED + aborted)
    assert done.root_causes == []
