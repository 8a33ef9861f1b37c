"""How fast an archive of logs is judged: `check` and `archive add` by processes, and the latter by a Dask cluster.

Whole commands from their start to their end, on logs of ten kinds, a megabyte each. Prints a table in markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import archive_logs
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROCESSORS: Final = 2
_POSTMORTEM: Final = (sys.executable, "-m", "postmortem", "--no-config")
_TICK: Final = 0.1


def main() -> None:
    """Measure each count of logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, nargs="+", default=[100, 1_000], help="how many logs")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "postmortem-archive")
    parser.add_argument("--no-dask", action="store_true", help="leave out the Dask cluster")
    asked = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_PROCESSORS])
    print("| logs | what | seconds | logs/s | largest worker, MB |\n| --- | --- | --- | --- | --- |")
    for count in asked.logs:
        folder = archive_logs.write(asked.folder / str(count), count)
        with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
            _measure(folder, Path(scratch), count, dask=not asked.no_dask)


def _measure(folder: Path, scratch: Path, count: int, *, dask: bool) -> None:
    index, store = scratch / "index.sqlite", scratch / "store"
    check = ["check", "-j", str(_PROCESSORS), "--index", str(index), str(folder)]
    _row(count, "check", check)
    _row(count, "check again, nothing changed", check)
    _row(count, "archive add", ["archive", "add", "-j", str(_PROCESSORS), str(store), str(folder)])
    _row(count, "archive add again", ["archive", "add", "-j", str(_PROCESSORS), str(store), str(folder)])
    _row(count, "archive report", ["archive", "report", str(store), "-o", str(scratch / "report.md")])
    if dask:
        shutil.rmtree(store)
        with _cluster() as address:
            _row(count, "archive add, Dask", ["archive", "add", "--scheduler", address, str(store), str(folder)])


def _row(count: int, what: str, arguments: list[str]) -> None:
    seconds, most = _timed([*_POSTMORTEM, *arguments])
    print(f"| {count:,} | {what} | {seconds:.1f} | {count / seconds:.1f} | {most / 1e6:.0f} |", flush=True)


def _timed(command: list[str]) -> tuple[float, int]:
    """Seconds of a command, and the most bytes that one of its children held. It ends the benchmark if it cannot do."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        most = [0]
        watching = threading.Thread(target=_watch, args=(process.pid, most))
        watching.start()
        _, told = process.communicate()
        seconds = time.perf_counter() - started
        watching.join()
    if process.returncode not in {0, 1}:
        sys.exit(f"{' '.join(command)}: {told}")
    return seconds, most[0]


def _watch(pid: int, most: list[int]) -> None:
    while psutil.pid_exists(pid):
        try:
            for child in psutil.Process(pid).children(recursive=True):
                most[0] = max(most[0], child.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
        time.sleep(_TICK)


@contextmanager
def _cluster() -> Iterator[str]:
    """The address of Dask workers, one thread each, warm before anything is timed: as a cluster that runs is."""
    from distributed import Client, LocalCluster

    from postmortem.archive.work import warm

    os.environ["POLARS_MAX_THREADS"] = "1"
    with LocalCluster(n_workers=_PROCESSORS, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
        with Client(cluster) as client:
            client.run(warm)
        yield cluster.scheduler_address


if __name__ == "__main__":
    main()
