"""The frames of a text log, made of its columns when they are asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from postmortem import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from postmortem.parsing.arrays import Ints, Values
    from postmortem.parsing.store import Store

    #: A column each, or its one value where all rows have the same.
    Tasks = dict[str, Callable[[], pl.Series]]

#: Columns that are made at the same time, where there are so many rows that new memory is what takes time.
_AT_ONCE: Final = 2
_MANY: Final = 1_000_000


class Framing:
    """Makes the frames of what a store holds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def metrics(self) -> pl.DataFrame:
        """The metrics, one row a value."""
        held, shared = self._store.metric_columns, self._store.templates.metric_constants.all
        if not self._store.metrics:
            return frames.build("metrics", [])
        which, value = held.constants(), np.concatenate(self._store.metric_values)
        names = ("name", "meaning", "split", "source_name", "scope")
        tasks: Tasks = {name: partial(_named, [row[i] for row in shared], which) for i, name in enumerate(names)}
        tasks["meaning"] = lambda: _meanings(shared, which, value)
        tasks["value"] = lambda: pl.Series(value)
        tasks["text"] = lambda: self._store.metric_texts.series(len(value), pl.String())
        return self._frame("metrics", held.place(), tasks)

    def tensors(self) -> pl.DataFrame:
        """The tensors, one row a range."""
        held = self._store.tensor_columns
        if not self._store.tensors:
            return frames.build("tensors", [])
        shared: list[dict[str, Any]] = [dict(pairs) for pairs in self._store.templates.tensor_constants.all]  # type: ignore[arg-type]
        which = held.constants()

        def column(name: str, dtype: pl.DataType) -> pl.Series:
            constants = _named([row.get(name) for row in shared], which, dtype)
            if name not in self._store.tensor_fields:
                return constants
            fields = self._store.tensor_fields[name].series(self._store.tensors, dtype)
            return fields.zip_with(fields.is_not_null(), constants)  # or its one value

        tasks: Tasks = {name: partial(column, name, dtype) for name, dtype in frames.OWN["tensors"].items()}
        return self._frame("tensors", held.place(), tasks)

    def settings(self) -> pl.DataFrame:
        """The settings, one row each time one is stated."""
        held, shared = self._store.setting_columns, self._store.templates.setting_constants.all
        if not self._store.settings:
            return frames.build("settings", [])
        which, names = held.constants(), ("key", "origin", "source_name")
        tasks: Tasks = {name: partial(_named, [row[i] for row in shared], which) for i, name in enumerate(names)}
        tasks["value"] = lambda: self._store.setting_texts.series(self._store.settings, pl.String())
        tasks["number"] = lambda: self._store.setting_numbers.series(self._store.settings, pl.Float64())
        return self._frame("settings", held.place(), tasks)

    def _frame(self, frame: str, place: Ints, own: Tasks) -> pl.DataFrame:
        tasks = {name: partial(make, place) for name, make in self._placed.items()} | own
        schema = frames.schema(frame)
        threads = ThreadPoolExecutor(_AT_ONCE) if len(place) > _MANY else None
        with threads or nullcontext():
            made = (threads.map if threads else map)(lambda name: tasks[name](), schema)
            columns = [
                column.cast(dtype).alias(name) for column, (name, dtype) in zip(made, schema.items(), strict=True)
            ]
        # one value for all rows needs no memory
        constant = [column for column in columns if len(column) < len(place)]
        rows = pl.DataFrame([column for column in columns if len(column) == len(place)])
        return rows.with_columns(pl.lit(one[0], one.dtype).alias(one.name) for one in constant).select(*schema)

    @cached_property
    def _placed(self) -> dict[str, Callable[[Ints], pl.Series]]:
        """The columns of places, each as a function of the rows' places."""
        store = self._store
        held = {name: np.concatenate(parts) for name, parts in store.place_columns.items()}
        known = held["known"]
        dialects = [row[0] for row in store.templates.place_constants.all]
        units = [unit[0] for unit in store.templates.units.all]
        columns = {
            "record": pl.Series(held["record"]),
            "offset": pl.Series(held["offset"]),
            "rank": _where(held["rank"] >= 0, held["rank"]),
            "step": _where(known, held["step"]),
            "epoch": pl.Series(held["epoch"]).fill_nan(None),
            "ts": store.place_texts["ts"].series(store.places, pl.String()),
        }
        return {
            "file": lambda _: pl.Series([store.file], dtype=pl.String),
            "job": self._jobs(held),
            "line": pl.Series(held["line"]).gather,
            "step_unit": lambda place: _named(units, np.where(known, held["unit"], 0)[place]),
            "dialect": lambda place: _named(dialects, held["constants"][place]),
            **{name: column.gather if _varies(column) else partial(_one, column) for name, column in columns.items()},
        }

    def _jobs(self, held: dict[str, Values]) -> Callable[[Ints], pl.Series]:
        """The job whose records these are: what they say, else the last heading that named one, else the name."""
        store = self._store
        names = [store.job, *(job for _, _, job in store.jobs)]
        own = store.place_texts["job"]
        if len(names) == 1 and not own.at:
            return lambda _: pl.Series(names, dtype=pl.String)
        heading = [_order(line, record) for line, record, _ in store.jobs]
        spoken = _named(names, np.searchsorted(heading, _order(held["line"], held["record"])))
        said = own.series(store.places, pl.String())
        return said.zip_with(said.is_not_null(), spoken).gather


def _named(names: Sequence[object], which: Ints, dtype: pl.DataType | None = None) -> pl.Series:
    """A column of names by their numbers."""
    column = pl.Series(names, dtype=dtype or pl.String())
    return column.gather(which) if _varies(column) else column.head(1)


def _one(column: pl.Series, _: Ints) -> pl.Series:
    """The value of all rows."""
    return column.head(1)


def _varies(column: pl.Series) -> bool:
    """Whether there is more than one value, null among them."""
    return column.null_count() not in {0, len(column)} or column.min() != column.max()


def _meanings(shared: list[Any], which: Ints, value: Values) -> pl.Series:
    """What each value is; one that stands for none is called a placeholder."""
    found = np.arange(len(shared), dtype=np.uint32)[which]
    candidates = np.flatnonzero(np.array([bool(row[-1]) for row in shared])[which])
    for number in np.unique(which[candidates]).tolist():
        rows = candidates[which[candidates] == number]
        found[rows[np.isin(value[rows], np.array(shared[number][-1]))]] = len(shared)
    return _named([*(row[1] for row in shared), "placeholder"], found)


def _where(known: Values, values: Values) -> pl.Series:
    """`values` where they are known, else null."""
    column = pl.Series(values)
    return column if known.all() else column.set(pl.Series(~known), None)


def _order(line: Any, record: Any) -> Any:  # noqa: ANN401 - a number or a column of them
    """Where a record stands in a file, as one number."""
    return line * 2**31 + record
