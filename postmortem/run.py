"""A run: the five frames of one log, with what is known of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postmortem import frames

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from postmortem.incident import Log


@dataclass(frozen=True, slots=True)
class Run:
    """The frames of one log (see `postmortem.frames` for their columns) and the files they come from."""

    metrics: pl.DataFrame
    tensors: pl.DataFrame
    events: pl.DataFrame
    settings: pl.DataFrame
    jobs: pl.DataFrame
    logs: tuple[Log, ...]

    def frames(self) -> dict[str, pl.DataFrame]:
        """All five frames by name."""
        return {name: getattr(self, name) for name in frames.FRAMES}

    def to_pandas(self) -> dict[str, pd.DataFrame]:
        """All five frames by name, as pandas frames."""
        return {name: frame.to_pandas() for name, frame in self.frames().items()}
