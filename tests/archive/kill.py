"""Processes of a run to be killed, for tests: those that a process has started."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

#: Of a worker's command. Until it is there, a child looks like its parent, and may become the tracker of semaphores,
#: without which the parent itself ends.
_WORKER = "--multiprocessing-fork"


def a_worker(parent: int, patience: float = 120) -> None:
    """End one worker of a process as the kernel does when memory runs out."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children():
            if _WORKER in child.cmdline() and child.memory_info().rss > 100_000_000:
                os.kill(child.pid, signal.SIGKILL)
                return
        time.sleep(0.02)
    raise TimeoutError("no worker has come to work")


def everything(parent: int) -> None:
    """End a process and all that it has started, at once."""
    processes = [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]
    for process in processes:
        process.suspend()
    for process in processes:
        process.kill()


def wait_for(folder: Path, pattern: str, maker: subprocess.Popen[str], patience: float = 120) -> None:
    """Until a file of that pattern is there. AssertionError where its maker ends without one."""
    deadline = time.monotonic() + patience
    while not any(folder.glob(pattern)):
        assert maker.poll() is None, f"it ended without {pattern}: {maker.communicate()}"
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {pattern} in {folder}")
        time.sleep(0.02)
