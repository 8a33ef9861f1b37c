"""How a run ends, as its log has it: kills, overflows, other jobs, a last word or none."""

from __future__ import annotations

import json

import pytest

from tests.parsing.traps.reading import read, rows

KILL = "slurmstepd: error: *** {what} ON n01 CANCELLED AT 2026-01-05T04:10:12 {why}***\n"


@pytest.mark.parametrize(
    ("why", "state", "reason", "kind"),
    [
        ("DUE TO TIME LIMIT ", "TIMEOUT", None, "time_limit"),
        ("DUE TO PREEMPTION ", "CANCELLED", "PREEMPTION", "cancelled"),
        ("DUE TO NODE FAILURE ", "CANCELLED", "NODE FAILURE", "cancelled"),
        ("DUE TO JOB REQUEUE ", "CANCELLED", "JOB REQUEUE", "cancelled"),
        ("", "CANCELLED", None, "cancelled"),
    ],
)
def test_a_kill_has_its_reason_or_none(why: str, state: str, reason: str | None, kind: str) -> None:
    run = read(KILL.format(what="JOB 4711", why=why) + KILL.format(what="STEP 4711.0", why=why))
    assert rows(run.jobs, "job", "step_id", "node", "state", "reason") == [
        ("4711", None, "n01", state, reason),
        (None, "4711.0", "n01", state, reason),
    ]
    assert run.events["kind"].to_list() == [kind, kind]


@pytest.mark.parametrize(
    ("line", "scales"),
    [
        (
            "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, but hysteresis is 2.",
            {"scale": 65536.0},
        ),
        (
            (
                "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, but hysteresis is 2. "
                "Reducing hysteresis to 1"
            ),
            {"scale": 65536.0},
        ),
        (
            "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 64, reducing to 32",
            {"scale": 64.0, "new_scale": 32.0},
        ),
        (
            "Overflow detected. Skipping step. Attempted loss scale: 2048.0, reducing to 1024.0",
            {"scale": 2048.0, "new_scale": 1024.0},
        ),
        ("Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 32768.0", {"new_scale": 32768.0}),
        ("NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 64.0", {"new_scale": 64.0}),
    ],
)
def test_an_overflow_is_one_whatever_its_wording(line: str, scales: dict[str, float]) -> None:
    run = read(f"step 1: loss=2.5\n{line}\n")
    assert rows(run.events, "line", "kind") == [(2, "overflow")]
    fields = json.loads(run.events["fields"][0])
    assert {name: fields[name] for name in ("scale", "new_scale") if name in fields} == scales


def test_what_is_printed_after_the_kill_is_read() -> None:
    run = read("step 1: loss=2.5\n" + KILL.format(what="JOB 4711", why="") + "step 2: loss=2.25\nstep 3: loss=2.0\n")
    assert rows(run.metrics, "line", "step", "value") == [(1, 1, 2.5), (3, 2, 2.25), (4, 3, 2.0)]
    assert rows(run.jobs, "line", "state") == [(2, "CANCELLED")]


TWO_JOBS = (
    "SLURM_JOB_ID=11111\nstep 1: loss=2.5\n"
    "slurmstepd: error: *** JOB 11111 ON n01 CANCELLED AT 2026-01-05T04:10:12 DUE TO PREEMPTION ***\n"
    "SLURM_JOB_ID=22222\nstep 1: loss=3.5\n"
    "slurmstepd: error: *** JOB 22222 ON n02 CANCELLED AT 2026-01-06T04:10:12 DUE TO TIME LIMIT ***\n"
)


def test_of_several_jobs_in_one_file_each_has_its_end() -> None:
    ended = rows(read(TWO_JOBS).jobs, "job", "node", "state", "end")
    assert [row for row in ended if row[2]] == [
        ("11111", "n01", "CANCELLED", "2026-01-05T04:10:12"),
        ("22222", "n02", "TIMEOUT", "2026-01-06T04:10:12"),
    ]


def test_of_several_jobs_in_one_file_each_has_its_values() -> None:
    assert rows(read(TWO_JOBS).metrics, "job", "step", "value") == [("11111", 1, 2.5), ("22222", 1, 3.5)]


def test_a_job_script_at_the_top_happens_not() -> None:
    script = (
        "#!/bin/bash\n#SBATCH --job-name=try\n#SBATCH --time=24:00:00\nset -e\nexport LR=3e-4\n"
        "srun python train.py --steps 1000 --batch-size=64 || echo 'failed with CUDA out of memory'\n"
        'echo "Training completed"\n\n'
    )
    run = read(script + "step 1: loss=2.5\n")
    assert rows(run.metrics, "line", "step", "name", "value") == [(9, 1, "loss", 2.5)]
    assert run.events.is_empty()
    assert run.jobs.is_empty()
    assert sorted(rows(run.settings, "line", "key", "number")) == [
        (5, "lr", 3e-4),
        (6, "batch_size", 64.0),
        (6, "steps", 1000.0),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "E0000 00:00:1736074212.123456    1234 cuda_dnn.cc:8310] Unable to register cuDNN factory: registered before",
        "2026-01-05 10:00:00.123456: E external/xla/cuda_fft.cc:485] Unable to register cuFFT factory: one is there",
        "ERROR: this message is for information only",
    ],
)
def test_a_word_of_severity_alone_is_no_failure(line: str) -> None:
    run = read(f"{line}\nstep 1: loss=2.5\n")
    assert set(run.events["severity"].to_list()) <= {"info"}
    assert rows(run.metrics, "line", "value") == [(2, 2.5)]


@pytest.mark.parametrize(
    ("end", "truncated"),
    [
        ("step 2: loss=2.25\n", False),
        ("step 2: loss=2.25", True),
        ("step 2: lo", True),
        ("20%|##  | 2/10 [00:02<00:08,  1.00it/s]\r", False),
        ("20%|##  | 2/10 [00:02<00:08,  1.0", True),
    ],
)
def test_a_log_that_ends_inside_a_line_is_cut(end: str, truncated: bool) -> None:  # noqa: FBT001 - a column of a table
    run = read("step 1: loss=2.5\n" + end)
    assert run.logs[0].truncated is truncated
    assert rows(run.metrics, "step", "value")[0] == (1, 2.5)


def test_a_log_that_ends_without_a_word_has_no_end() -> None:
    run = read("".join(f"2026-01-05 0{hour}:00:00 step {hour}: loss=2.5\n" for hour in range(1, 6)))
    assert run.metrics["ts"].to_list() == [f"2026-01-05 0{hour}:00:00" for hour in range(1, 6)]
    assert run.events.is_empty()
    assert run.jobs.is_empty()
    assert not run.logs[0].truncated
