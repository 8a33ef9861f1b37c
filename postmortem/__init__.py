"""Read the log of a training run, judge each proposed fix, and say what the next run must show."""

from __future__ import annotations

__version__ = "0.1.0"
