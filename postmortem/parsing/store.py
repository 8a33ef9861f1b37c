"""What the pieces of a log gave, column by column, until somebody asks for frames (`framing.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postmortem.parsing import columns
from postmortem.parsing.extract import Some

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Ints, Values
    from postmortem.parsing.carried import Carried
    from postmortem.parsing.extract import Piece, Places
    from postmortem.parsing.templates import Templates


@dataclass(slots=True)
class Column:
    """A column that not every row has, piece by piece: the rows that have it, and the values."""

    at: list[Ints] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)

    def add(self, some: Some, first: int) -> None:
        """The values of a piece whose rows begin at `first`."""
        if len(some.at):
            self.at.append(some.at + first)
            self.values.append(some.values)

    def series(self, rows: int, dtype: pl.DataType) -> pl.Series:
        """The whole column, null where a row has none."""
        if not self.at:
            return pl.Series([None], dtype=dtype).new_from_index(0, rows)
        found = pl.concat([columns.series(v) if v.dtype == np.uint8 else pl.Series(v) for v in self.values]).cast(dtype)
        if len(found) == rows:
            return found
        which = np.full(rows, len(found), np.uint32)
        which[np.concatenate(self.at)] = np.arange(len(found), dtype=np.uint32)
        return pl.concat([found, pl.Series([None], dtype=dtype)]).gather(which)


@dataclass(slots=True)
class Store:
    """The rows of one file that were filled many at once."""

    file: str
    job: str | None
    rank: int | None
    templates: Templates
    jobs: list[tuple[int, int, str | None]] = field(default_factory=list)  # line and record after which a job speaks
    places: int = 0
    metrics: int = 0
    tensors: int = 0
    settings: int = 0
    place_columns: dict[str, list[Values]] = field(default_factory=dict)
    place_texts: dict[str, Column] = field(default_factory=dict)
    metric_columns: dict[str, list[Values]] = field(default_factory=dict)
    metric_texts: Column = field(default_factory=Column)
    setting_columns: dict[str, list[Values]] = field(default_factory=dict)
    setting_texts: Column = field(default_factory=Column)
    setting_numbers: Column = field(default_factory=Column)
    tensor_columns: dict[str, list[Values]] = field(default_factory=dict)
    tensor_fields: dict[str, Column] = field(default_factory=dict)

    def add(self, piece: Piece, carried: Carried, first_line: int, line_start: Ints) -> None:
        """A piece, with what is carried into its records."""
        self._add_places(piece.places, carried, first_line, line_start)
        metrics, tensors = piece.metrics, piece.tensors
        _append(
            self.metric_columns,
            place=(metrics.place + self.places).astype(np.uint32),
            constants=metrics.constants.astype(np.uint32),
            value=metrics.value,
        )
        self.metric_texts.add(Some(np.arange(len(metrics.value)), metrics.text), self.metrics)
        _append(
            self.tensor_columns,
            place=(tensors.place + self.places).astype(np.uint32),
            constants=tensors.constants.astype(np.uint32),
        )
        for name, some in tensors.fields.items():
            self.tensor_fields.setdefault(name, Column()).add(some, self.tensors)
        settings = piece.settings
        _append(
            self.setting_columns,
            place=(settings.place + self.places).astype(np.uint32),
            constants=settings.constants.astype(np.uint32),
        )
        everywhere = np.arange(len(settings.place))
        self.setting_texts.add(Some(everywhere, settings.value), self.settings)
        self.setting_numbers.add(settings.number, self.settings)
        self.settings += len(settings.place)
        self.places += len(piece.places.record)
        self.metrics += len(metrics.value)
        self.tensors += len(tensors.place)

    def _add_places(self, places: Places, carried: Carried, first_line: int, line_start: Ints) -> None:
        count = len(places.record)
        held, kept = carried.step.before(places.record), carried.epoch.before(places.record)
        step, known, unit = carried.step.value[held], carried.step.known[held], carried.step.unit[held]
        epoch = np.where(carried.epoch.known[kept], carried.epoch.value[kept], np.nan)
        own = places.step.at
        units = np.array([constants[1] for constants in self.templates.place_constants.all], np.int64)
        step[own], known[own], unit[own] = places.step.values, True, units[places.constants[own]]
        epoch[places.epoch.at] = places.epoch.values
        rank = np.full(count, -1 if self.rank is None else self.rank, np.int32)
        rank[places.rank.at] = places.rank.values
        _append(
            self.place_columns,
            line=places.line + first_line,
            record=places.state.astype(np.int32),
            offset=line_start[places.line],
            step=step,
            known=known,
            unit=unit.astype(np.uint8),
            epoch=epoch,
            rank=rank,
            constants=places.constants.astype(np.uint32),
        )
        for name in ("ts", "job"):
            self.place_texts.setdefault(name, Column()).add(getattr(places, name), self.places)


def _append(columns_: dict[str, list[Values]], **piece: Values) -> None:
    for name, values in piece.items():
        columns_.setdefault(name, []).append(values)
