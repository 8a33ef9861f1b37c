"""Where the corpus of real logs lies: it is no part of the repository."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

import postmortem
from postmortem.run import Run


def corpus() -> Path:
    """The folder that POSTMORTEM_CORPUS names. UsageError where it names none: nothing is skipped in silence."""
    folder = Path(os.environ.get("POSTMORTEM_CORPUS", ""))
    if not (folder / "INDEX.csv").is_file():
        raise pytest.UsageError("POSTMORTEM_CORPUS must name the folder of the corpus; `make corpus CORPUS=FOLDER` sets it")
    return folder


@cache
def run(log: str) -> Run:
    """What postmortem reads in a log of the corpus, read once."""
    return postmortem.read(str(corpus() / log))
