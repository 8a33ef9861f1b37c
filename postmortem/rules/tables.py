"""The frames and signals of one run as tables of a sealed database, each made and offered when a query first asks."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import polars as pl

from postmortem import signals
from postmortem.errors import PostmortemError, StoppedError
from postmortem.metrics import by_name
from postmortem.rules import database

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from postmortem.rules.database import Answer
    from postmortem.rules.query import Query

#: A metric of so many values is a table of its own, which a query for another one does not look through.
_LARGE: Final = 50_000
#: Each such table makes every query for metrics longer.
_MOST: Final = 12
_MEMORY: Final = "1GB"
#: Seconds between two looks at the clock.
_TICK: Final = 0.25


class Question(NamedTuple):
    """Whether a table has a row that meets a condition."""

    sql: str  # empty where any row will do
    params: Mapping[str, float]
    columns: frozenset[str]  # which it names
    of_name: str  # the part of it that is about a metric's name alone


class Tables:
    """What queries read. A frame or signal is also given as it is, to see what a log has before anything is asked."""

    def __init__(self, frames: Mapping[str, pl.DataFrame], seconds: float) -> None:
        #: The frames and signals by name, each signal computed once.
        self.frames = signals.Signals(frames)
        self._large = any(frame.height > _LARGE for frame in frames.values())
        self._metrics = by_name(frames["metrics"])
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        self._offered: dict[str, frozenset[str]] = {}
        self._stated = False  # the macros know what is configured
        #: Entered while queries are answered, it stops those that take too long.
        self.watch = _Watch(seconds)

    def __contains__(self, name: str) -> bool:
        """True for a frame or a signal."""
        return name in self.frames

    def __iter__(self) -> Iterator[str]:
        """The names of the frames, then of the signals."""
        return iter(self.frames)

    def frame(self, name: str) -> pl.DataFrame:
        """A frame or signal. KeyError for one that does not exist."""
        return self.frames[name]

    def names(self, table: str, column: str) -> frozenset[str]:
        """The different texts in a column, looked for once and not once a rule."""
        if (table, column) not in self._names:
            of_metrics = (table, column) == ("metrics", "name")
            found = self._metrics if of_metrics else self.frames[table][column].unique().drop_nulls()
            self._names[table, column] = frozenset(found)
        return self._names[table, column]

    def may_hold(self, table: str, column: str, texts: Collection[str]) -> bool:
        """Whether one of these texts may be in a column. A large table is looked through for names of metrics alone."""
        if (table, column) != ("metrics", "name"):
            frame = self.frames[table]
            if frame.height > _LARGE or frame.schema.get(column) != pl.String:
                return True
        return not self.names(table, column).isdisjoint(texts)

    def have(self, name: str, questions: Sequence[Question]) -> list[bool]:
        """For each question whether a row of the table may meet it. Of a large one that is no metrics all may."""
        frame = self.frames[name]
        if frame.is_empty() or not any(question.sql for question in questions):
            return [not frame.is_empty()] * len(questions)
        if name == "metrics":
            return self._metrics_have(questions)
        return [True] * len(questions) if frame.height > _LARGE else self._asked(name, questions)

    def _metrics_have(self, questions: Sequence[Question]) -> list[bool]:
        """What is about names alone is asked of those, which are few; the rest of the rows that have such names."""
        groups: dict[frozenset[str], list[int]] = {}
        for number, names in enumerate(self._names_meeting([question.of_name for question in questions])):
            if names:
                groups.setdefault(names if self._large else frozenset(), []).append(number)
        may = [False] * len(questions)
        for names, numbers in groups.items():
            rows = sum(self._metrics.places[name][1] for name in names)
            if rows > self.frames["metrics"].height / 2:
                met = [True] * len(numbers)  # to look takes as long as to answer
            else:
                met = self._asked("metrics", [questions[number] for number in numbers], names)
            for number, one in zip(numbers, met, strict=True):
                may[number] = one
        return may

    def _names_meeting(self, conditions: Sequence[str]) -> list[frozenset[str]]:
        """For each condition on the name of a metric the names that meet it; of one that cannot be asked all."""
        names = list(self.names("metrics", "name"))
        wanted = list(filter(None, dict.fromkeys(conditions)))
        met: dict[str, frozenset[str]] = {"": frozenset(names)}
        if not wanted:
            return [met[""]] * len(conditions)
        self._database.register("names", _Stream(pl.DataFrame({"name": names})))
        try:
            with self.watch.over(self._database):
                asked = f"SELECT name, {', '.join(wanted)} FROM names"  # noqa: S608 - conditions of rules that ship
                rows = self._database.execute(asked).fetchall()
        except duckdb.Error:
            return [met[""]] * len(conditions)
        finally:
            self._database.abort()
        for place, condition in enumerate(wanted, 1):
            met[condition] = frozenset(row[0] for row in rows if row[place])
        return [met[condition] for condition in conditions]

    def _asked(self, name: str, questions: Sequence[Question], names: Collection[str] = ()) -> list[bool]:
        """Whether a row, of one of these names if some are given, meets the condition of each."""
        self._offer(name, tuple({column for question in questions for column in question.columns}))
        met = ", ".join(f"bool_or({question.sql or 'true'})" for question in questions)
        within = f" WHERE name IN ({', '.join(map(_quoted, sorted(names)))})" if names else ""
        params = {param: value for question in questions for param, value in question.params.items()}
        try:
            with self.watch.over(self._database):
                asked = f'SELECT {met} FROM "{name}"{within}'  # noqa: S608 - conditions of rules that ship, quoted names
                found = self._database.execute(asked, params).fetchone()
        except duckdb.Error:  # whose rule it is will be said when its query is run
            found = None
        finally:
            self._database.abort()  # of the one row, which it does not know to be the last
        return [one is True for one in found] if found else [True] * len(questions)

    def answer(self, sql: str, query: Query, params: Mapping[str, float]) -> Answer:
        """The rows of a query, in this process. PostmortemError: what DuckDB says of it, or that it was stopped."""
        for name in set(query.tables) - set(query.own):
            self._offer(name, query.columns)
        if not self._stated and database.MACROS & set(query.functions):
            self._offer(database.MACRO_TABLE, None)
            database.state(self._database)
            self._stated = True
        try:
            with self.watch.over(self._database):
                return database.answer(self._database, sql, dict(params))
        except duckdb.InterruptException:
            raise StoppedError(f"stopped after {self.watch.seconds:g} s") from None
        except duckdb.Error as error:
            raise PostmortemError(database.reason(str(error))) from None

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        # to share out a query of a few rows takes longer than to run it
        return database.sealed(_MEMORY, threads=2 if self._large else 1)

    def _offer(self, name: str, columns: tuple[str, ...] | None) -> None:
        frame = self.frames[name]
        large = name == "metrics" and frame.height > _LARGE
        known = frozenset(frame.columns)
        held = self._offered.get(name)
        if held == known or (held and columns is not None and held.issuperset(known.intersection(columns))):
            return
        wanted = known if not large or columns is None else known.intersection({*columns, "name"})
        held = self._offered[name] = wanted | (held or frozenset())
        if large:
            self._offer_by_name([column for column in frame.columns if column in held])
        else:
            self._database.register(name, _Stream(frame))

    def _offer_by_name(self, columns: list[str]) -> None:
        """The metrics as one view over several tables: a condition on the name leaves most of them out.

        Columns that nobody has asked for are not in it: the rows would have to be put in order for nothing.
        """
        sizes = {name: size for name, (_, size) in self._metrics.places.items()}
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_MOST]
        alone = [name for name in largest if sizes[name] > _LARGE and name.isprintable()]
        rest = [name for name in sizes if name not in set(alone)]
        parts = [([name], f"{_quoted(name)} AS name") for name in alone] + ([(rest, "name")] if rest else [])
        selects = []
        for number, (names, constant) in enumerate(parts):
            self._database.register(f"metrics {number}", _Stream(self._metrics.of(names, columns)))
            chosen = ", ".join(constant if column == "name" else f'"{column}"' for column in columns)
            selects.append(f'SELECT {chosen} FROM "metrics {number}"')  # noqa: S608 - columns of `frames`, quoted names
        self._database.execute(f"CREATE OR REPLACE VIEW metrics AS {' UNION ALL '.join(selects)}")


class _Stream:
    """A frame as its Arrow stream: DuckDB scans it without a copy, and without pyarrow, which takes long to import."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


class _Watch:
    """Interrupts a query that takes longer than so many seconds, on a thread that is there as long as it is entered.

    DuckDB looks at an interrupt between two vectors of rows, which is soon enough for queries that are known.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock, self._done = threading.Lock(), threading.Event()
        self._watched: tuple[duckdb.DuckDBPyConnection, float] | None = None
        self._thread: threading.Thread

    def __enter__(self) -> None:
        self._done.clear()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @contextmanager
    def over(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """While this lasts, the connection is watched."""
        with self._lock:
            self._watched = connection, time.monotonic() + self.seconds
        try:
            yield
        finally:
            with self._lock:
                self._watched = None

    def _look(self) -> None:
        while not self._done.wait(_TICK):
            with self._lock:
                if self._watched is not None and time.monotonic() > self._watched[1]:
                    self._watched[0].interrupt()


def _quoted(text: str) -> str:
    """As a text in SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"
