"""An archive judged by jobs of a real SLURM, which dask-jobqueue starts and ends."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import dask
import dask_jobqueue  # noqa: F401 - it brings the defaults of `jobqueue`
from click.testing import CliRunner

from postmortem.cli import main
from tests.archive import logs

if TYPE_CHECKING:
    from pathlib import Path

#: What stands in a user's ~/.config/dask/jobqueue.yaml: the cluster has one small node, and no network but itself.
JOBQUEUE = {"cores": 1, "processes": 1, "memory": "1 GiB", "walltime": "00:05:00", "interface": "lo"}


def test_runs_are_added_by_jobs_which_end_with_the_command(tmp_path: Path) -> None:
    logs.write(tmp_path / "logs", good=logs.HEALTHY, bad=logs.FAILED)
    defaults = dask.config.get("jobqueue.slurm")
    with dask.config.set({"jobqueue.slurm": {**defaults, **JOBQUEUE, "log-directory": str(tmp_path / "jobs")}}):
        result = CliRunner().invoke(
            main, ["archive", "add", "--scheduler", "slurm:1", str(tmp_path / "store"), str(tmp_path / "logs")]
        )
    assert result.exit_code == 0, result.output
    assert "2 runs judged, 0 unchanged, 0 copies, 0 not judged" in result.output
    asked = CliRunner().invoke(main, ["archive", "query", str(tmp_path / "store"), "causes", "--format", "json"])
    assert [row["cause"] for row in json.loads(asked.output)["causes"]] == [logs.CAUSE, "no fault shown"]
    assert list((tmp_path / "jobs").iterdir())  # what the job printed
    # a cancelled job leaves the queue after it has been told
    deadline = time.monotonic() + 60
    while subprocess.run(["squeue", "--noheader"], capture_output=True, text=True, check=True).stdout:  # noqa: S607 - of the cluster that runs
        assert time.monotonic() < deadline
        time.sleep(0.5)
