"""A run: the five frames of one log, with what is known of the files they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    import polars as pl

    from postmortem.incident import LeftOut, Log


class Run:
    """The frames of one log (see `postmortem.frames` for their columns). Each is made when it is first asked for."""

    def __init__(
        self,
        made: Mapping[str, pl.DataFrame | Callable[[], pl.DataFrame]],
        logs: Sequence[Log],
        line_index: Mapping[str, Sequence[tuple[int, int]]] | None = None,
        left_out: Sequence[LeftOut] = (),
    ) -> None:
        self._frames = dict(made)
        self.logs = tuple(logs)
        #: By file: line numbers and the bytes at which they begin, to find lines again.
        self.line_index = dict(line_index or {})
        #: Files of the run's folder that were not read, and why.
        self.left_out = tuple(left_out)

    @property
    def metrics(self) -> pl.DataFrame:
        """Numbers over the course of the run, one row a value."""
        return self._frame("metrics")

    @property
    def tensors(self) -> pl.DataFrame:
        """Ranges and statistics of named tensors."""
        return self._frame("tensors")

    @property
    def events(self) -> pl.DataFrame:
        """What happened: exceptions, overflows, checkpoints, kills."""
        return self._frame("events")

    @property
    def settings(self) -> pl.DataFrame:
        """What was configured, as far as the log says."""
        return self._frame("settings")

    @property
    def jobs(self) -> pl.DataFrame:
        """What a scheduler says of its jobs and their steps."""
        return self._frame("jobs")

    def _frame(self, name: str) -> pl.DataFrame:
        made = self._frames[name]
        if callable(made):
            made = self._frames[name] = made()
        return made

    def frames(self) -> dict[str, pl.DataFrame]:
        """All five frames by name."""
        return {name: self._frame(name) for name in frames.FRAMES}

    def to_pandas(self) -> dict[str, pd.DataFrame]:
        """All five frames by name, as pandas frames."""
        return {name: frame.to_pandas() for name, frame in self.frames().items()}
