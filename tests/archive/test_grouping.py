"""Which files are one run, by their names."""

from __future__ import annotations

import pytest

from postmortem.archive.grouping import runs_of


@pytest.mark.parametrize(
    "together",
    [
        ["a/slurm-123.out", "a/slurm-123.err"],
        ["train.out.gz", "train.err.gz"],
        ["job.o123", "job.e123"],
        ["rank_0.log", "rank_1.log", "rank_10.log"],
        ["log.0.txt", "log.1.txt"],
        ["run-7.rank2.out", "run-7.rank2.err", "run-7.rank11.out"],
        ["r/attempt_0/0/stdout.log", "r/attempt_0/1/stdout.log", "r/attempt_1/0/stderr.log"],
        ["s3://bucket/a/slurm-9.out", "s3://bucket/a/slurm-9.err"],
    ],
)
def test_ranks_and_streams_of_a_run_are_one(together: list[str]) -> None:
    assert runs_of(reversed(together)) == {together[0]: together}


@pytest.mark.parametrize(
    "apart",
    [
        ["a.log", "b.log"],
        ["a/run.out", "b/run.err"],
        ["slurm-1.out", "slurm-2.out"],
        ["job-7204315.log", "job-7204342.log"],
        ["dense-00001.log", "sparse-00001.log"],
        ["p/attempt_0/0/stdout.log", "q/attempt_0/0/stdout.log"],
        ["train.log", "train.csv"],
    ],
)
def test_others_are_not(apart: list[str]) -> None:
    assert runs_of(apart) == {path: [path] for path in apart}
