"""The folder in which this program keeps what it can do without: POSTMORTEM_CACHE, or the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path | None:
    """The folder, which may not exist yet. None where nothing is to be kept: POSTMORTEM_CACHE=0, or no home."""
    named = os.environ.get("POSTMORTEM_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = Path(os.path.expanduser(named))  # noqa: PTH111 - which leaves a home that nobody knows as it is
    return home / "postmortem" if home.is_absolute() else None
