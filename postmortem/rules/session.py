"""One connection to a run's database: each frame or signal is offered to it when a query first asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb

from postmortem.errors import PostmortemError, StoppedError
from postmortem.rules import database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from postmortem.metrics import ByName
    from postmortem.rules.database import Answer
    from postmortem.rules.query import Query
    from postmortem.rules.watch import Watch

#: A metric of so many values is a table of its own, which a query for another one does not look through.
LARGE: Final = 50_000
#: Each such table makes every query for metrics longer.
_MOST: Final = 12


class Session:
    """What one thread asks. The database is shared, what is offered to it and what it is told is each one's own."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame], metrics: ByName, watch: Watch
    ) -> None:
        self._database, self._frames, self._metrics, self._watch = connection, frames, metrics, watch
        self._offered: dict[str, frozenset[str]] = {}
        self._stated = False  # the macros know what is configured

    def answer(self, sql: str, query: Query, params: Mapping[str, float]) -> Answer:
        """The rows of a query. PostmortemError: what DuckDB says of it, or that it was stopped."""
        for name in set(query.tables) - set(query.own):
            self.offer(name, query.columns)
        if not self._stated and database.MACROS & set(query.functions):
            self.offer(database.MACRO_TABLE, None)
            database.state(self._database)
            self._stated = True
        try:
            with self._watch.over(self._database):
                return database.answer(self._database, sql, dict(params))
        except duckdb.InterruptException:
            raise StoppedError(f"stopped after {self._watch.seconds:g} s") from None
        except duckdb.Error as error:
            raise PostmortemError(database.reason(str(error))) from None

    def rows(self, sql: str, params: Mapping[str, float] | None = None) -> list[tuple[Any, ...]] | None:
        """All rows of a short query over what is offered; None where it cannot be run."""
        try:
            with self._watch.over(self._database):
                return self._database.execute(sql, dict(params or {})).fetchall()
        except duckdb.Error:
            return None
        finally:
            self._database.abort()  # a result that is not known to have ended keeps the connection busy

    def hold(self, name: str, frame: pl.DataFrame) -> None:
        """Have a frame as a table of this name."""
        self._database.register(name, _Stream(frame))

    def offer(self, name: str, columns: Sequence[str] | None) -> None:
        """Have a frame or signal as a table, with these columns at least; with all of them where None are named."""
        frame = self._frames[name]
        large = name == "metrics" and frame.height > LARGE
        known = frozenset(frame.columns)
        held = self._offered.get(name)
        if held == known or (held and columns is not None and held.issuperset(known.intersection(columns))):
            return
        wanted = known if not large or columns is None else known.intersection({*columns, "name"})
        held = self._offered[name] = wanted | (held or frozenset())
        if large:
            self._offer_by_name([column for column in frame.columns if column in held])
        else:
            self.hold(name, frame)

    def _offer_by_name(self, columns: list[str]) -> None:
        """The metrics as one view over several tables: a condition on the name leaves most of them out.

        Columns that nobody has asked for are not in it: the rows would have to be put in order for nothing.
        """
        sizes = {name: size for name, (_, size) in self._metrics.places.items()}
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_MOST]
        alone = [name for name in largest if sizes[name] > LARGE and name.isprintable()]
        rest = [name for name in sizes if name not in set(alone)]
        parts = [([name], f"{quoted(name)} AS name") for name in alone] + ([(rest, "name")] if rest else [])
        selects = []
        for number, (names, constant) in enumerate(parts):
            self.hold(f"metrics {number}", self._metrics.of(names, columns))
            chosen = ", ".join(constant if column == "name" else f'"{column}"' for column in columns)
            selects.append(f'SELECT {chosen} FROM "metrics {number}"')  # noqa: S608 - columns of `frames`, quoted names
        self._database.execute(f"CREATE OR REPLACE TEMP VIEW metrics AS {' UNION ALL '.join(selects)}")


class _Stream:
    """A frame as its Arrow stream: DuckDB scans it without a copy, and without pyarrow, which takes long to import."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def quoted(text: str) -> str:
    """As a text in SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"
