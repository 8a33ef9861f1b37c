"""Tasks by processes and by Dask: all come back, whatever becomes of a process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import pytest

from postmortem.archive import workers as workers_module
from postmortem.archive.workers import Cluster, Done, Processes
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from pathlib import Path


def double(number: int) -> int:
    return 2 * number


def die_of(number: int) -> int:
    """Kills its process where the number is 7; others take some time, so that they are at work beside it."""
    time.sleep(0.01)
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(place: tuple[Path, int]) -> int:
    folder, number = place
    mark = folder / "died"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail(number: int) -> int:
    raise ValueError(number)


def pid(_: int) -> int:
    return os.getpid()


def test_all_tasks_come_back() -> None:
    done = list(Processes(2).run(double, range(20)))
    assert sorted(one.task for one in done) == list(range(20))
    assert all(one.result == 2 * one.task for one in done)


def test_only_what_kills_its_process_is_lost() -> None:
    done = {one.task: one for one in Processes(2).run(die_of, range(12))}
    assert sorted(done) == list(range(12))
    assert done[7] == Done(7, None, "the process that judged it died 2 times; it may need more memory")
    assert all(one.result == task for task, one in done.items() if task != 7)


def test_a_process_that_was_killed_once_costs_nothing(tmp_path: Path) -> None:
    done = list(Processes(2).run(die_once, [(tmp_path, number) for number in range(8)]))
    assert sorted(one.result for one in done if one.result is not None) == list(range(8))


def test_a_process_that_was_being_started_while_another_died_is_not_waited_for() -> None:
    def breaks() -> None:
        with workers_module._started(1) as pool:
            assert pool.submit(abs, -1).result(timeout=60) == 1
            late.start()  # the pool does not know it, and would not end it
            raise BrokenProcessPool

    late = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    with pytest.raises(BrokenProcessPool):
        breaks()
    late.join(timeout=60)
    assert late.exitcode == -signal.SIGTERM


def test_what_raises_raises_here() -> None:
    with pytest.raises(ValueError, match="1"):
        list(Processes(1).run(fail, [1]))


def test_processes_that_have_grown_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "_MOST_BYTES", 1)
    done = list(Processes(1).run(pid, range(7)))
    assert sorted(one.task for one in done) == list(range(7))
    # three are handed out before the first comes back
    assert len({one.result for one in done}) == 3


def test_a_dask_cluster_does_the_same() -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
        done = list(Cluster(cluster.scheduler_address).run(double, range(20)))
    assert sorted((one.task, one.result) for one in done) == [(number, 2 * number) for number in range(20)]


def test_a_dask_worker_that_is_killed_loses_nothing_but_what_kills_it() -> None:
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster,
    ):
        done = {one.task: one for one in Cluster(cluster.scheduler_address).run(die_of, range(12))}
    assert sorted(done) == list(range(12))
    assert done[7].result is None
    assert done[7].lost.startswith("the workers that judged it died: ")
    assert all(one.result == task for task, one in done.items() if task != 7)


@pytest.mark.parametrize(
    ("scheduler", "reason"),
    [
        ("slurm:none", "how many jobs? Write slurm:8"),
        ("slurm:0", "how many jobs? Write slurm:8"),
        ("gopher://x:1", "no scheduler answers"),
    ],
)
def test_a_scheduler_that_cannot_be_used_is_told(scheduler: str, reason: str) -> None:
    with pytest.raises(PostmortemError) as told:
        list(Cluster(scheduler).run(double, [1]))
    assert reason in str(told.value)
