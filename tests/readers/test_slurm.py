"""What SLURM accounts for a job, in each of its shapes, ends in the same columns."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from postmortem.errors import PostmortemError
from postmortem.readers import _slurm
from tests.readers.reading import load, reader_of

if TYPE_CHECKING:
    from pathlib import Path

_PADDED = """\
$ sacct -j 20942500
JobID           JobName  Partition    Account  AllocCPUS      State ExitCode     MaxRSS    Elapsed
------------ ---------- ---------- ---------- ---------- ---------- -------- ---------- ----------
20942500          train        gpu       acct         32    TIMEOUT      0:0            1-02:00:05
20942500.ba+      batch                  acct         32  CANCELLED     0:15   1048576K 1-02:00:06
20942500.0       python                  acct         32 OUT_OF_ME+    0:125      61.5G   02:03:04
"""


def _jobs(path: Path) -> list[dict[str, Any]]:
    """The rows of `jobs`, without places and without what is not known."""
    rows = load(path)[0]["jobs"].drop("file", "record", "offset", "dialect").to_dicts()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_a_padded_table(tmp_path: Path) -> None:
    path = tmp_path / "sacct.txt"
    path.write_text(_PADDED)
    assert reader_of(path) == "sacct"
    common = {"job": "20942500", "cpus": 32, "origin": "sacct"}
    assert _jobs(path) == [
        common
        | {"line": 4, "state": "TIMEOUT", "exit_code": 0, "signal": 0, "job_name": "train", "partition": "gpu"}
        | {"elapsed_s": 93_605.0},
        common
        | {"line": 5, "step_id": "20942500.batch", "state": "CANCELLED", "exit_code": 0, "signal": 15}
        | {"job_name": "batch", "max_rss_bytes": 2**30, "elapsed_s": 93_606.0},
        common
        | {"line": 6, "step_id": "20942500.0", "state": "OUT_OF_MEMORY", "exit_code": 0, "signal": 125}
        | {"job_name": "python", "max_rss_bytes": 66_035_122_176, "elapsed_s": 7_384.0},
    ]
    info = load(path)[1]
    assert (info.unread_lines, info.left_out) == (1, {"columns of sacct without a place here": 1})


def test_a_table_with_a_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "sacct.csv"
    path.write_text(
        "JobID|User|State|ExitCode|Timelimit|TotalCPU|ReqMem|AllocTRES|NodeList|Start|End|Reason\n"
        "123_4|ann|CANCELLED by 1000|0:9|2-00:00:00|01:30.500|64G|cpu=8,gres/gpu:a100=4,gres/gpu=4,mem=60G,node=2|"
        "n[1-2]|2026-01-05T04:10:12|Unknown|None\n"
    )
    assert reader_of(path) == "sacct"
    assert _jobs(path) == [
        {
            "job": "123_4",
            "line": 2,
            "user": "ann",
            "state": "CANCELLED",
            "reason": "by 1000",
            "exit_code": 0,
            "signal": 9,
        }
        | {"limit": "2-00:00:00", "limit_s": 172_800.0, "cpu_s": 90.5, "memory_bytes": 60 * 2**30, "cpus": 8, "gpus": 4}
        | {"nodes": 2, "node": "n[1-2]", "start": "2026-01-05T04:10:12", "origin": "sacct"}
    ]


def test_a_row_of_another_width_is_unread(tmp_path: Path) -> None:
    path = tmp_path / "sacct.txt"
    path.write_text("JobID|JobName|State\n1|a|FAILED\n" * 3_000 + "2|b|c|FAILED\n")
    assert load(path)[1].unread_lines == 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("123", ("123", None)),
        ("123_4", ("123_4", None)),
        ("123+0", ("123+0", None)),
        ("123_[5-9%2]", ("123_[5-9%2]", None)),
        ("123.batch", ("123", "123.batch")),
        ("123.ext+", ("123", "123.extern")),
        ("123_4.0", ("123_4", "123_4.0")),
    ],
)
def test_ids(text: str, read: tuple[str, str | None]) -> None:
    assert _slurm.job_id(text) == read
    assert _slurm.job_id(text + " x") is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("COMPLETED", "COMPLETED"),
        ("CANCELLED+", "CANCELLED"),
        ("OUT_OF_ME+", "OUT_OF_MEMORY"),
        ("NODE_FAIL", "NODE_FAIL"),
        ("PREEMPTED", "PREEMPTED"),
        ("COMPLET+", "COMPLET+"),  # completed or completing
        ("Unknown", None),
    ],
)
def test_states(text: str, read: str | None) -> None:
    assert _slurm.state(text) == (read, None)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1-02:03:04", 93_784.0),
        ("02:03:04", 7_384.0),
        ("03:04.5", 184.5),
        ("1-02:03", 93_780.0),
        ("Partition_Limit", None),
    ],
)
def test_durations(text: str, read: float | None) -> None:
    assert _slurm.seconds(text) == read


def test_sizes_and_limits() -> None:
    assert _slurm.seconds("UNLIMITED") == math.inf
    assert _slurm.size("4000Mc", cpus=2) == 8_388_608_000
    assert _slurm.size("4000Mc") is None
    assert _slurm.size("2Gn", nodes=3) == 6 * 2**30
    assert _slurm.size("0") == 0
    assert _slurm.size("9" * 18 + "E") is None


def test_seff(tmp_path: Path) -> None:
    path = tmp_path / "seff.txt"
    path.write_text(
        "Job ID: 1000\nArray Job ID: 990_4\nCluster: c\nUser/Group: ann/staff\nState: OUT_OF_MEMORY (exit code 1)\n"
        "Nodes: 2\nCores per node: 8\nCPU Utilized: 1-00:00:00\nCPU Efficiency: 12.50% of 8-00:00:00 core-walltime\n"
        "Job Wall-clock time: 12:00:00\nMemory Utilized: 61.25 GB (estimated maximum)\n"
        "Memory Efficiency: 95.70% of 64.00 GB (32.00 GB/node)\n"
    )
    assert reader_of(path) == "seff"
    assert _jobs(path) == [
        {"job": "990_4", "line": 1, "user": "ann", "state": "OUT_OF_MEMORY", "exit_code": 1, "nodes": 2, "cpus": 16}
        | {"cpu_s": 86_400.0, "cpu_efficiency": 0.125, "elapsed_s": 43_200.0, "max_rss_bytes": 65_766_686_720}
        | {"memory_bytes": 64 * 2**30, "memory_efficiency": 95.7 / 100, "origin": "seff"}
    ]


def test_scontrol_on_many_lines_and_on_one(tmp_path: Path) -> None:
    text = (
        "JobId=105 ArrayJobId=100 ArrayTaskId=5 JobName=train my model\n"
        "   UserId=ann(1000) GroupId=staff(1000) MCS_label=N/A\n"
        "   JobState=FAILED Reason=NonZeroExitCode Dependency=(null)\n"
        "   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=1:0\n"
        "   RunTime=00:02:00 TimeLimit=1-00:00:00 TimeMin=N/A\n"
        "   StartTime=2026-01-05T04:10:12 EndTime=2026-01-05T04:12:12 Deadline=N/A\n"
        "   Partition=gpu NodeList=n1 BatchHost=n1 NumNodes=1 NumCPUs=8 NumTasks=1\n"
        "   TRES=cpu=8,mem=64G,node=1,billing=8,gres/gpu=2\n"
    )
    expected = (
        {"job": "100_5", "line": 1, "job_name": "train my model", "user": "ann", "state": "FAILED"}
        | {"reason": "NonZeroExitCode", "exit_code": 1, "signal": 0, "elapsed_s": 120.0, "limit": "1-00:00:00"}
        | {"limit_s": 86_400.0, "start": "2026-01-05T04:10:12", "end": "2026-01-05T04:12:12", "partition": "gpu"}
        | {"node": "n1", "nodes": 1, "cpus": 8, "gpus": 2, "memory_bytes": 64 * 2**30, "origin": "scontrol"}
    )
    path = tmp_path / "job.txt"
    path.write_text(text)
    assert reader_of(path) == "scontrol"
    assert _jobs(path) == [expected]
    path.write_text(" ".join(text.split("\n")) + "\n")
    assert _jobs(path) == [expected]


def _account(**changes: object) -> dict[str, object]:
    job = {
        "job_id": 123,
        "name": "train",
        "user": "ann",
        "partition": "gpu",
        "nodes": "n1",
        "allocation_nodes": 1,
        "state": {"current": ["OUT_OF_MEMORY"], "reason": "None"},
        "exit_code": {"return_code": {"set": True, "infinite": False, "number": 0}, "signal": {"id": {"number": 0}}},
        "time": {
            "start": 1_700_000_000,
            "end": 0,
            "elapsed": 60,
            "limit": {"set": True, "infinite": False, "number": 90},
        },
        "tres": {
            "allocated": [
                {"type": "cpu", "name": "", "count": 8},
                {"type": "mem", "name": "", "count": 65_536},
                {"type": "gres", "name": "gpu", "count": 4},
            ]
        },
        "steps": [
            {
                "step": {"id": "123.batch", "name": "batch"},
                "state": ["OUT_OF_MEMORY"],
                "exit_code": {"return_code": {"set": True, "infinite": False, "number": 0}},
                "nodes": {"count": 1, "range": "n1"},
                "tres": {"requested": {"max": [{"type": "mem", "count": 68_719_476_736}]}},
            }
        ],
    }
    return {"jobs": [{**job, **changes}], "meta": {"Slurm": {"version": {"major": "23"}}}}


def test_json_of_new_versions(tmp_path: Path) -> None:
    path = tmp_path / "sacct.json"
    path.write_text(json.dumps(_account(), indent=1))
    assert reader_of(path) == "sacct_json"
    common = {"job": "123", "line": 3, "state": "OUT_OF_MEMORY", "exit_code": 0, "signal": 0, "node": "n1", "nodes": 1}
    assert _jobs(path) == [
        common
        | {"job_name": "train", "user": "ann", "partition": "gpu", "start": "2023-11-14 22:13:20.000+00:00"}
        | {"elapsed_s": 60.0, "limit_s": 5_400.0, "cpus": 8, "gpus": 4, "memory_bytes": 64 * 2**30, "origin": "sacct"},
        common | {"step_id": "123.batch", "job_name": "batch", "max_rss_bytes": 68_719_476_736, "origin": "sacct"},
    ]


def test_json_of_old_versions(tmp_path: Path) -> None:
    path = tmp_path / "sacct.json"
    old = _account(
        state={"current": "CANCELLED", "reason": "TimeLimit"},
        exit_code={"status": "SIGNALED", "return_code": 0, "signal": {"signal_id": 9, "name": "KILL"}},
        array={"job_id": 120, "task_id": 3},
        steps=[],
    )
    path.write_text(json.dumps(old))
    [job] = _jobs(path)
    assert (job["job"], job["state"], job["reason"], job["signal"]) == ("120_3", "CANCELLED", "TimeLimit", 9)


@pytest.mark.parametrize(
    "code",
    [
        {"set": True, "infinite": False, "number": 3 * 256 + 9},
        {
            "status": ["SIGNALED"],
            "return_code": {"set": True, "number": 3},
            "signal": {"id": {"set": True, "number": 9}},
        },
    ],
)
def test_json_of_the_controller(tmp_path: Path, code: object) -> None:
    path = tmp_path / "job.json"
    job = {
        "job_id": 105,
        "array_job_id": {"set": True, "infinite": False, "number": 100},
        "array_task_id": {"set": True, "infinite": False, "number": 5},
        "job_state": ["FAILED"],
        "state_reason": "NonZeroExitCode",
        "user_name": "ann",
        "name": "train",
        "exit_code": code,
        "start_time": {"set": True, "infinite": False, "number": 1_700_000_000},
        "time_limit": {"set": True, "infinite": True, "number": 0},
        "node_count": {"set": True, "infinite": False, "number": 2},
        "tres_alloc_str": "cpu=16,mem=2G,node=2,gres/gpu=8",
    }
    path.write_text(json.dumps({"jobs": [job], "meta": {"slurm": {}}}))
    assert reader_of(path) == "sacct_json"
    assert _jobs(path) == [
        {"job": "100_5", "line": 1, "state": "FAILED", "reason": "NonZeroExitCode", "user": "ann", "job_name": "train"}
        | {"exit_code": 3, "signal": 9, "start": "2023-11-14 22:13:20.000+00:00", "nodes": 2, "cpus": 16, "gpus": 8}
        | {"memory_bytes": 2 * 2**30, "origin": "scontrol"}
    ]


def test_json_without_a_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sacct.json"
    path.write_text(json.dumps({"meta": {"slurm": {}}, "jobs": []}))
    with pytest.raises(PostmortemError, match="no job"):
        load(path)


@pytest.mark.parametrize(
    "text",
    [
        _PADDED + "step 1 loss 2.5\n",
        "Job ID: 101\nState: RUNNING\nstep 1 loss 2.5\n",
        "JobId=101 JobName=train\n   JobState=RUNNING Reason=None\nstep 1 loss 2.5\n",
        "step 1 loss 2.5\n" + _PADDED,
    ],
)
def test_a_log_that_holds_such_a_table_is_a_text_log(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job.out"
    path.write_text(text)
    assert reader_of(path) is None
