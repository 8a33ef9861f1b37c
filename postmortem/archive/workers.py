"""Many tasks side by side: processes of this machine, or the workers of a Dask cluster. A task that dies is told.

Both yield each task with its result as it comes, hand out a few tasks ahead of the workers and no more, and give a task
a second worker when its first one dies.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from postmortem.archive.work import warm
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Tasks handed out per worker.
_AHEAD: Final = 3
#: A worker that has done so many makes room for a fresh one: what libraries keep does not add up.
_TASKS: Final = 200
#: A task that has cost so many workers their lives is given up.
_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Done(Generic[Task, Result]):
    """A task that came back: its result, or why there is none."""

    task: Task
    result: Result | None
    lost: str = ""


class Workers(Protocol):
    """Who does tasks."""

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Done[Task, Result]]:
        """Each task with its result, as they come."""


class Processes:
    """Processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Done[Task, Result]]:
        """As `Workers.run`. A worker that is killed takes no other task with it."""
        from pebble import ProcessExpired, ProcessPool

        context = multiprocessing.get_context("spawn")
        with _one_thread_each():
            pool = ProcessPool(self._jobs, max_tasks=_TASKS, initializer=warm, context=context)
            try:
                yield from _handed_out(
                    lambda task: pool.schedule(function, args=(task,)), tasks, self._jobs * _AHEAD, ProcessExpired
                )
            finally:
                pool.stop()  # type: ignore[no-untyped-call]  # it returns nothing
                pool.join()


class Cluster:
    """The workers of a Dask cluster: `tcp://HOST:PORT`, or `slurm:JOBS` for jobs that dask-jobqueue starts.

    What a SLURM job asks for stands in dask-jobqueue's own configuration (jobqueue.yaml).
    """

    def __init__(self, scheduler: str) -> None:
        try:
            import distributed  # noqa: F401 - told here, before anything is done
        except ImportError:
            raise PostmortemError(
                f"--scheduler {scheduler}: Dask is not installed; pip install 'postmortem[dask]'"
            ) from None
        self._scheduler = scheduler

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Done[Task, Result]]:
        """As `Workers.run`."""
        from distributed import Client, KilledWorker
        from distributed.cfexecutor import ClientExecutor

        with _address(self._scheduler) as address:
            try:
                client = Client(address, timeout="30s", set_as_default=False)
            except OSError as error:
                raise PostmortemError(f"--scheduler {self._scheduler}: no scheduler answers: {error}") from None
            with client:
                client.run(warm)
                executor = ClientExecutor(client, retries=_TRIES)
                ahead = max(1, sum(client.nthreads().values())) * _AHEAD
                yield from _handed_out(lambda task: executor.submit(function, task), tasks, ahead, KilledWorker)


def _handed_out(
    submit: Callable[[Any], Future[Any]], tasks: Iterable[Any], ahead: int, died: type[Exception]
) -> Iterator[Done[Any, Any]]:
    waiting, pending = iter(tasks), dict[Any, Any]()
    tries: dict[int, int] = {}
    exhausted = False
    while pending or not exhausted:
        while not exhausted and len(pending) < ahead:
            try:
                task = next(waiting)
            except StopIteration:
                exhausted = True
            else:
                pending[submit(task)] = task
        finished, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in finished:
            task = pending.pop(future)
            error = future.exception()
            if error is None:
                yield Done(task, future.result())
            elif isinstance(error, died) and tries.get(id(task), 1) < _TRIES:
                tries[id(task)] = tries.get(id(task), 1) + 1
                pending[submit(task)] = task
            elif isinstance(error, died):
                yield Done(task, None, f"the process that judged it died {_TRIES} times; it may need more memory")
            else:
                raise error


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers are as many as there are processors: within one, polars needs no threads. Set before they start."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("POLARS_MAX_THREADS", None)


@contextmanager
def _address(scheduler: str) -> Iterator[Any]:
    """What a Dask client connects to; jobs of SLURM last as long as the context."""
    if not scheduler.startswith("slurm:"):
        yield scheduler
        return
    jobs = scheduler.removeprefix("slurm:")
    if not jobs.isdecimal() or not int(jobs):
        raise PostmortemError(f"--scheduler {scheduler}: how many jobs? Write slurm:8")
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise PostmortemError(
            f"--scheduler {scheduler}: dask-jobqueue is not installed; pip install 'postmortem[dask]'"
        ) from None
    with SLURMCluster() as cluster:
        cluster.scale(jobs=int(jobs))
        yield cluster


def processes(jobs: int) -> int:
    """How many workers `-j` asks for; 0: as many as this process may use processors."""
    return jobs or len(os.sched_getaffinity(0))
