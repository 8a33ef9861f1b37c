"""What the pieces of a log gave, column by column, and the polars frames made of it when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from postmortem import frames
from postmortem.parsing import columns
from postmortem.parsing.extract import Some
from postmortem.parsing.sections import with_optimizer_eps

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
    _place_columns: dict[str, list[Values]] = field(default_factory=dict)
    _place_texts: dict[str, Column] = field(default_factory=dict)
    _metric_columns: dict[str, list[Values]] = field(default_factory=dict)
    _metric_texts: Column = field(default_factory=Column)
    _setting_columns: dict[str, list[Values]] = field(default_factory=dict)
    _setting_texts: Column = field(default_factory=Column)
    _setting_numbers: Column = field(default_factory=Column)
    _tensor_columns: dict[str, list[Values]] = field(default_factory=dict)
    _tensor_fields: dict[str, Column] = field(default_factory=dict)

    def add(self, piece: Piece, carried: Carried, first_line: int, line_start: Ints) -> None:
        """A piece, with what is carried into its records."""
        self._add_places(piece.places, carried, first_line, line_start)
        metrics, tensors = piece.metrics, piece.tensors
        _append(
            self._metric_columns,
            place=(metrics.place + self.places).astype(np.uint32),
            constants=metrics.constants.astype(np.uint32),
            value=metrics.value,
        )
        self._metric_texts.add(Some(np.arange(len(metrics.value)), metrics.text), self.metrics)
        _append(
            self._tensor_columns,
            place=(tensors.place + self.places).astype(np.uint32),
            constants=tensors.constants.astype(np.uint32),
        )
        for name, some in tensors.fields.items():
            self._tensor_fields.setdefault(name, Column()).add(some, self.tensors)
        settings = piece.settings
        _append(
            self._setting_columns,
            place=(settings.place + self.places).astype(np.uint32),
            constants=settings.constants.astype(np.uint32),
        )
        everywhere = np.arange(len(settings.place))
        self._setting_texts.add(Some(everywhere, settings.value), self.settings)
        self._setting_numbers.add(settings.number, self.settings)
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
            self._place_columns,
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
            self._place_texts.setdefault(name, Column()).add(getattr(places, name), self.places)

    def metric_frame(self) -> pl.DataFrame:
        """The metrics, one row a value."""
        shared = self.templates.metric_constants.all
        names = ("name", "meaning", "split", "source_name", "scope")
        constants = pl.DataFrame(
            {name: [row[i] for row in shared] for i, name in enumerate(names)}, schema=dict.fromkeys(names, pl.String())
        )
        which = _joined(self._metric_columns, "constants", np.uint32)
        value = _joined(self._metric_columns, "value", np.float64)
        meaning = constants["meaning"].gather(which)
        placeholder = np.zeros(len(value), np.bool_)
        for number, row in enumerate(shared):
            if row[-1]:
                placeholder |= (which == number) & np.isin(value, np.array(row[-1]))
        if placeholder.any():
            meaning = meaning.set(pl.Series(placeholder), "placeholder")
        return self._frame(
            "metrics",
            self._place_frame().select(pl.all().gather(_joined(self._metric_columns, "place", np.uint32))),
            {
                **{name: constants[name].gather(which) for name in names},
                "meaning": meaning,
                "value": pl.Series(value),
                "text": self._metric_texts.series(self.metrics, pl.String()),
            },
        )

    def tensor_frame(self) -> pl.DataFrame:
        """The tensors, one row a range."""
        shared: list[dict[str, Any]] = [dict(pairs) for pairs in self.templates.tensor_constants.all]  # type: ignore[arg-type]
        which = _joined(self._tensor_columns, "constants", np.uint32)
        found: dict[str, pl.Series] = {}
        for name, dtype in frames.OWN["tensors"].items():
            constants = pl.Series([row.get(name) for row in shared], dtype=dtype).gather(which)
            if name in self._tensor_fields:
                fields = self._tensor_fields[name].series(self.tensors, dtype)
                constants = fields.zip_with(fields.is_not_null(), constants)
            found[name] = constants
        places = self._place_frame().select(pl.all().gather(_joined(self._tensor_columns, "place", np.uint32)))
        return self._frame("tensors", places, found)

    def setting_frame(self) -> pl.DataFrame:
        """The settings, one row each time one is stated."""
        which = _joined(self._setting_columns, "constants", np.uint32)
        shared = self.templates.setting_constants.all
        names = ("key", "origin", "source_name")
        found = {
            name: pl.Series([row[i] for row in shared], dtype=pl.String).gather(which) for i, name in enumerate(names)
        }
        found["value"] = self._setting_texts.series(self.settings, pl.String())
        found["number"] = self._setting_numbers.series(self.settings, pl.Float64())
        places = self._place_frame().select(pl.all().gather(_joined(self._setting_columns, "place", np.uint32)))
        return with_optimizer_eps(self._frame("settings", places, found))

    def _place_frame(self) -> pl.DataFrame:
        columns_ = {name: pl.Series(np.concatenate(parts)) for name, parts in self._place_columns.items()}
        if not columns_:
            return pl.DataFrame(schema=frames.PLACE)
        dialects = pl.Series([row[0] for row in self.templates.place_constants.all], dtype=pl.String)
        units = pl.Series([unit[0] for unit in self.templates.units.all], dtype=pl.String)
        texts = {name: self._place_texts[name].series(self.places, pl.String()) for name in ("ts", "job")}
        return pl.DataFrame(
            {
                "line": columns_["line"],
                "record": columns_["record"].cast(pl.Int64),
                "offset": columns_["offset"],
                "step": columns_["step"],
                "epoch": columns_["epoch"],
                "rank": columns_["rank"].cast(pl.Int64),
                "step_unit": units.gather(columns_["unit"]),
                "dialect": dialects.gather(columns_["constants"]),
                "known": columns_["known"],
                **texts,
            }
        ).select(
            pl.lit(self.file, pl.String).alias("file"),
            pl.col("job").fill_null(self._jobs(columns_["line"], columns_["record"])),
            "line",
            "record",
            "offset",
            "ts",
            pl.when(pl.col("rank") >= 0).then("rank"),
            pl.when("known").then("step"),
            pl.when("known").then("step_unit"),
            pl.col("epoch").fill_nan(None),
            "dialect",
        )

    def _jobs(self, line: pl.Series, record: pl.Series) -> pl.Series:
        """The job whose records these are, where they do not say so themselves."""
        names = pl.Series([self.job, *(job for _, _, job in self.jobs)], dtype=pl.String)
        heading = [_order(line, record) for line, record, _ in self.jobs]
        return names.gather(np.searchsorted(heading, _order(line.to_numpy(), record.to_numpy())))

    def _frame(self, name: str, places: pl.DataFrame, own: dict[str, pl.Series]) -> pl.DataFrame:
        if places.is_empty():
            return frames.build(name, [])
        return places.with_columns(**own).select(
            pl.col(column).cast(dtype) for column, dtype in frames.schema(name).items()
        )


def _order(line: Any, record: Any) -> Any:  # noqa: ANN401 - a number or a column of them
    """Where a record stands in a file, as one number."""
    return line * 2**31 + record


def _append(columns_: dict[str, list[Values]], **piece: Values) -> None:
    for name, values in piece.items():
        columns_.setdefault(name, []).append(values)


def _joined(columns_: dict[str, list[Values]], name: str, kind: type[np.generic]) -> Values:
    return np.concatenate(columns_[name]) if name in columns_ else np.empty(0, kind)
