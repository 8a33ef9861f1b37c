"""The frames and signals of one run as tables of a sealed database, each made and offered when a query first asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem import signals
from postmortem.metrics import by_name
from postmortem.rules import database
from postmortem.rules.session import LARGE, Session, quoted
from postmortem.rules.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from postmortem.rules.database import Answer
    from postmortem.rules.query import Query

#: Queries that are answered, and signals of a large log that are computed, at the same time.
AT_ONCE: Final = 2
#: Of two queries at once.
_MEMORY: Final = "2GB"


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
        self._large = any(frame.height > LARGE for frame in frames.values())
        self._metrics = by_name(frames["metrics"])
        self._names: dict[tuple[str, str], frozenset[str]] = {}
        #: Entered while queries are answered, it stops those that take too long.
        self.watch = Watch(seconds)
        # to share out a query of a few rows takes longer than to run it
        self._database = database.sealed(_MEMORY, threads=AT_ONCE if self._large else 1)
        self._own = threading.local()  # each thread its session

    def __contains__(self, name: str) -> bool:
        """True for a frame or a signal."""
        return name in self.frames

    def __iter__(self) -> Iterator[str]:
        """The names of the frames, then of the signals."""
        return iter(self.frames)

    def frame(self, name: str) -> pl.DataFrame:
        """A frame or signal. KeyError for one that does not exist."""
        return self.frames[name]

    def ready(self, texts: Sequence[str]) -> None:
        """Have the signals of a large log that these queries name computed side by side, before they are asked for."""
        if self._large:
            wanted = [name for name in signals.names() if any(name in text for text in texts)]
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(self.frame, wanted))

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
            if frame.height > LARGE or frame.schema.get(column) != pl.String:
                return True
        return not self.names(table, column).isdisjoint(texts)

    def have(self, name: str, questions: Sequence[Question]) -> list[bool]:
        """For each question whether a row of the table may meet it. Of a large one that is no metrics all may."""
        frame = self.frames[name]
        if frame.is_empty() or not any(question.sql for question in questions):
            return [not frame.is_empty()] * len(questions)
        if name == "metrics":
            return self._metrics_have(questions)
        return [True] * len(questions) if frame.height > LARGE else self._asked(name, questions)

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
        self._session.hold("names", pl.DataFrame({"name": names}))
        rows = self._session.rows(f"SELECT name, {', '.join(wanted)} FROM names")  # noqa: S608 - of rules that ship
        if rows is None:
            return [met[""]] * len(conditions)
        for place, condition in enumerate(wanted, 1):
            met[condition] = frozenset(row[0] for row in rows if row[place])
        return [met[condition] for condition in conditions]

    def _asked(self, name: str, questions: Sequence[Question], names: Collection[str] = ()) -> list[bool]:
        """Whether a row, of one of these names if some are given, meets the condition of each."""
        self._session.offer(name, tuple({column for question in questions for column in question.columns}))
        met = ", ".join(f"bool_or({question.sql or 'true'})" for question in questions)
        within = f" WHERE name IN ({', '.join(map(quoted, sorted(names)))})" if names else ""
        params = {param: value for question in questions for param, value in question.params.items()}
        asked = f'SELECT {met} FROM "{name}"{within}'  # noqa: S608 - conditions of rules that ship, quoted names
        found = self._session.rows(asked, params)
        # where it cannot be run, whose rule it is will be said when its query is run
        return [one is True for one in found[0]] if found else [True] * len(questions)

    def answer(self, sql: str, query: Query, params: Mapping[str, float]) -> Answer:
        """The rows of a query, in this process. PostmortemError: what DuckDB says of it, or that it was stopped."""
        return self._session.answer(sql, query, params)

    @property
    def _session(self) -> Session:
        """The one of this thread."""
        if not hasattr(self._own, "session"):
            self._own.session = Session(self._database.cursor(), self.frames, self._metrics, self.watch)
        session: Session = self._own.session
        return session
