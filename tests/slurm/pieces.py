"""Pieces of work that end in every way a job can."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from postmortem.replay.protocol import Answer


@dataclass(frozen=True, slots=True)
class Done:
    """Brings an answer."""

    title: str = "done"

    def __call__(self) -> Answer:
        """Say in which job."""
        return Answer(replays=(), question=f"asked in job {os.environ['SLURM_JOB_ID']}")


@dataclass(frozen=True, slots=True)
class Raises:
    """Fails as a program does."""

    title: str = "raises"

    def __call__(self) -> Answer:
        """Raise."""
        raise ValueError("no such\x1b[31m thing")


@dataclass(frozen=True, slots=True)
class Exits:
    """Ends its process without a word."""

    title: str = "exits"

    def __call__(self) -> Answer:
        """Exit."""
        os._exit(3)


@dataclass(frozen=True, slots=True)
class Sleeps:
    """Takes longer than any limit here."""

    title: str = "sleeps"

    def __call__(self) -> Answer:
        """Ten minutes."""
        time.sleep(600)
        return Answer(replays=())


@dataclass(frozen=True, slots=True)
class Greedy:
    """Takes memory until it is stopped."""

    title: str = "greedy"

    def __call__(self) -> Answer:
        """Twenty MB at a time, a minute long."""
        held = []
        for _ in range(600):
            held.append(bytearray(os.urandom(1 << 20)) * 20)
            time.sleep(0.1)
        return Answer(replays=())
