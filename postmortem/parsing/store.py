"""What the pieces of a log gave, column by column, until somebody asks for frames (`framing.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postmortem.parsing import columns
from postmortem.parsing.piece import Some

if TYPE_CHECKING:
    from postmortem.parsing.arrays import Ints, Values
    from postmortem.parsing.carried import Carried
    from postmortem.parsing.piece import Piece, Places
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
class Rows:
    """Which place and which constants the rows of a frame have, piece by piece."""

    _first: list[int] = field(default_factory=list)
    _place: list[Ints] = field(default_factory=list)
    _constants: list[Ints] = field(default_factory=list)

    def add(self, first: int, place: Ints, constants: Ints) -> None:
        """The rows of a piece whose places begin at `first`."""
        self._first.append(first)
        self._place.append(place)
        self._constants.append(constants)

    def place(self) -> Ints:
        """The place of each row."""
        return np.concatenate(
            [(place + first).astype(np.uint32) for first, place in zip(self._first, self._place, strict=True)]
        )

    def constants(self) -> Ints:
        """The constants of each row."""
        return np.concatenate(self._constants).astype(np.uint32)


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
    metric_columns: Rows = field(default_factory=Rows)
    metric_values: list[Values] = field(default_factory=list)
    metric_texts: Column = field(default_factory=Column)
    setting_columns: Rows = field(default_factory=Rows)
    setting_texts: Column = field(default_factory=Column)
    setting_numbers: Column = field(default_factory=Column)
    tensor_columns: Rows = field(default_factory=Rows)
    tensor_fields: dict[str, Column] = field(default_factory=dict)

    def add(self, piece: Piece, carried: Carried, first_line: int, line_start: Ints) -> None:
        """A piece, with what is carried into its records."""
        self._add_places(piece.places, carried, first_line, line_start)
        metrics, tensors, settings = piece.metrics, piece.tensors, piece.settings
        self.metric_columns.add(self.places, metrics.place, metrics.constants)
        self.metric_values.append(metrics.value)
        self.metric_texts.add(Some(np.arange(len(metrics.value)), metrics.text), self.metrics)
        self.tensor_columns.add(self.places, tensors.place, tensors.constants)
        for name, some in tensors.fields.items():
            self.tensor_fields.setdefault(name, Column()).add(some, self.tensors)
        self.setting_columns.add(self.places, settings.place, settings.constants)
        self.setting_texts.add(Some(np.arange(len(settings.place)), settings.value), self.settings)
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
        piece: dict[str, Values] = {
            "line": places.line + np.int64(first_line),
            "record": places.state,
            "offset": line_start[places.line],
            "step": step,
            "known": known,
            "unit": unit.astype(np.uint8),
            "epoch": epoch,
            "rank": rank,
            "constants": places.constants,
        }
        for name, values in piece.items():
            self.place_columns.setdefault(name, []).append(values)
        for name in ("ts", "job"):
            self.place_texts.setdefault(name, Column()).add(getattr(places, name), self.places)
