"""How many threads polars starts with: it decides when it is imported, for good."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Bytes. What is done to so few values is done before a second thread has heard of it.
_SMALL: Final = 4_000_000


def fit(log: str) -> None:
    """One thread for a small file, where polars is not there yet; as many as there are processors for all else."""
    with suppress(OSError):
        if "polars" not in sys.modules and Path(log).is_file() and Path(log).stat().st_size <= _SMALL:
            os.environ.setdefault("POLARS_MAX_THREADS", "1")
