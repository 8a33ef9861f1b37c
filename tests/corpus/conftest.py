"""Where the corpus of real logs lies: it is no part of the repository."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import postmortem

if TYPE_CHECKING:
    from postmortem.run import Run

CORPUS = Path(os.environ.get("POSTMORTEM_CORPUS", ""))

if not (CORPUS / "INDEX.csv").is_file():
    # nothing is skipped in silence
    raise pytest.UsageError("POSTMORTEM_CORPUS must name the corpus's folder; `make corpus CORPUS=FOLDER` sets it")


@cache
def run(log: str) -> Run:
    """What postmortem reads in a log of the corpus, read once."""
    return postmortem.read(str(CORPUS / log))
