"""Many tasks side by side: processes of this machine, or the workers of a Dask cluster. A task that dies is told.

Both yield each task with its result as it comes, and hand out a few tasks ahead of the workers and no more.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
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
#: Processes that hold more than this make room for fresh ones: what libraries keep does not add up.
_MOST_BYTES: Final = 400 * 2**20
#: A task that was at work when a process died runs alone, so often, before it is given up.
_ALONE: Final = 2


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
    """Processes of this machine, warm: what a judgement needs is loaded once in each."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Done[Task, Result]]:
        """As `Workers.run`. A process that is killed takes no task with it, unless that task is what kills it."""
        waiting = _Waiting(tasks)
        while waiting:
            at_work: list[Task] = []
            yield from self._together(function, waiting, at_work)
            for task in at_work:
                yield _alone(function, task)

    def _together(
        self, function: Callable[[Task], Result], waiting: _Waiting[Task], at_work: list[Task]
    ) -> Iterator[Done[Task, Result]]:
        """Tasks by one set of processes, until all are done, one dies, or one has grown. `at_work` are left over."""
        flow = None
        try:
            with _started(self._jobs) as pool:
                flow = _Flow[Task](lambda task: pool.submit(_measured, function, task), self._jobs * _AHEAD)
                for task, future in flow.run(waiting):
                    result, size = future.result()
                    yield Done(task, result)
                    if size > _MOST_BYTES:
                        flow.close()
        except BrokenProcessPool:
            at_work += flow.unfinished() if flow else ()


class Cluster:
    """The workers of a Dask cluster: `tcp://HOST:PORT`, or `slurm:JOBS` for jobs that dask-jobqueue starts.

    What a SLURM job asks for stands in dask-jobqueue's own configuration (jobqueue.yaml). A task whose worker dies gets
    another one from the scheduler, which gives it up after its `allowed-failures`; then it runs alone, once more.
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

        with _address(self._scheduler) as address:
            try:
                client = Client(address, timeout="30s", set_as_default=False)
            except (OSError, ValueError) as error:
                raise PostmortemError(f"--scheduler {self._scheduler}: no scheduler answers: {error}") from None
            with client, client.get_executor(pure=False) as pool:
                client.run(warm)
                ahead = max(1, sum(client.nthreads().values())) * _AHEAD
                flow = _Flow[Task](lambda task: pool.submit(function, task), ahead)
                suspects = []
                for task, future in flow.run(_Waiting(tasks)):
                    try:
                        yield Done(task, future.result())
                    except KilledWorker:
                        suspects.append(task)
                # the scheduler suspects all that a dead worker had; alone, a task dies of itself or not at all
                for task in suspects:
                    try:
                        yield Done(task, pool.submit(function, task).result())
                    except KilledWorker as error:
                        yield Done(task, None, f"the workers that judged it died: {error}".splitlines()[0])


class _Waiting(Generic[Task]):
    """Tasks that nobody has yet."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._next: list[Task] = []
        self._look()

    def __bool__(self) -> bool:
        return bool(self._next)

    def take(self) -> Task:
        """The next one."""
        task = self._next.pop()
        self._look()
        return task

    def _look(self) -> None:
        for task in self._tasks:
            self._next.append(task)
            return


class _Flow(Generic[Task]):
    """Tasks through an executor: some ahead of the workers, the others when those are done."""

    def __init__(self, submit: Callable[[Task], Future[Any]], ahead: int) -> None:
        self._submit, self._ahead = submit, ahead
        self._pending: dict[Future[Any], Task] = {}
        self._unsent: list[Task] = []
        self._open = True

    def run(self, waiting: _Waiting[Task]) -> Iterator[tuple[Task, Future[Any]]]:
        """Each task with its future, which is done."""
        while self._pending or (self._open and waiting):
            while self._open and waiting and len(self._pending) < self._ahead:
                self._unsent = [waiting.take()]
                self._pending[self._submit(self._unsent[0])] = self._unsent[0]
                self._unsent = []
            for future in wait(self._pending, return_when=FIRST_COMPLETED)[0]:
                if isinstance(future.exception(), BrokenProcessPool):
                    future.result()  # raises, with the task still among the unfinished
                yield self._pending.pop(future), future

    def close(self) -> None:
        """Hand out no more; what is handed out comes back."""
        self._open = False

    def unfinished(self) -> list[Task]:
        """What was handed out and has not come back."""
        return [*self._pending.values(), *self._unsent]


def _alone(function: Callable[[Task], Result], task: Task) -> Done[Task, Result]:
    """A task in a process of its own: what kills that one is the task itself."""
    for _ in range(_ALONE):
        with suppress(BrokenProcessPool), _started(1) as pool:
            return Done(task, pool.submit(function, task).result())
    return Done(task, None, f"the process that judged it died {_ALONE} times; it may need more memory")


@contextmanager
def _started(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes, as many as there are processors for them: within one, polars needs no threads.

    BrokenProcessPool: one of them died, and so do the others.
    """
    before, others = os.environ.get("POLARS_MAX_THREADS"), set(multiprocessing.active_children())
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # they take it over when they start, with their first task
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield pool
    except BrokenProcessPool:
        # the pool ends those that it knew when one died, and waits for all: one that was just being started too
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if before is None:
            os.environ.pop("POLARS_MAX_THREADS", None)


def _begin() -> None:
    """A process begins: an interrupt is its parent's matter, and without a parent it has nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    warm()


def _end_with(sentinel: int) -> None:
    wait_for_end([sentinel])
    os._exit(1)


def _measured(function: Callable[[Task], Result], task: Task) -> tuple[Result, int]:
    """The result, and how many bytes the process holds after it."""
    result = function(task)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return result, pages * os.sysconf("SC_PAGE_SIZE")


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
        from dask_jobqueue.slurm import SLURMCluster
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
