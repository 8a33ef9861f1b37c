"""An archive as a DuckDB database that reads its Parquet files and nothing else, and writes nowhere."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb
import polars as pl

from postmortem.archive import tables
from postmortem.archive.store import parts
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG: Final[dict[str, Any]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "memory_limit": "4GB",
}
#: Tables that views stand before: theirs is the plain name.
_BEHIND_VIEWS: Final = {"seen": "seen", "kept": "kept"}


class Database:
    """The tables and views of `views.sql`. PostmortemError where there is no archive."""

    def __init__(self, store: Path) -> None:
        folder = parts(store).resolve()
        self._connection = duckdb.connect(":memory:", config=_CONFIG)
        for table in tables.names():
            self._connection.execute(_view(table, folder))
        self._connection.execute((files("postmortem.archive") / "views.sql").read_text("utf-8"))
        self._connection.execute(f"SET allowed_directories = [{_quoted(str(folder))}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def ask(self, query: str) -> pl.DataFrame:
        """What one SELECT gives. PostmortemError for anything else, and for a query that fails."""
        try:
            statements = self._connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise PostmortemError("an archive is asked by one SELECT statement and nothing else")
            answer = pl.from_arrow(self._connection.sql(statements[0]).to_arrow_table())
        except duckdb.Error as error:
            reason = " ".join(str(error).split("\n\n", maxsplit=1)[0].split())
            raise PostmortemError(f"the question cannot be answered: {reason}") from None
        assert isinstance(answer, pl.DataFrame)  # noqa: S101 - what a table becomes; for the type checker
        return answer

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def seen(store: Path) -> dict[str, tuple[str, str, bool]]:
    """Each place that the archive has met: its files as they were then, what judged them, and whether it could."""
    with Database(store) as database:
        rows = database.ask(
            "SELECT place, files, coalesce(current_kept.key, seen.key), problem IS NULL FROM seen"
            " LEFT JOIN current_kept USING (run)"
            " QUALIFY row_number() OVER (PARTITION BY place ORDER BY seen.judged DESC, seen.part) = 1"
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows.iter_rows()}


def digests(store: Path) -> frozenset[str]:
    """The runs that the archive holds."""
    with Database(store) as database:
        return frozenset(database.ask("SELECT run FROM current_kept")["run"])


def _view(table: str, folder: Path) -> str:
    """A view over a table's files in all parts. One without any file is empty."""
    name = _BEHIND_VIEWS.get(table, f"all_{table}")
    found = sorted(folder.glob(f"[!.]*/{table}.parquet"))
    if not found:
        types = ", ".join(f'NULL::{_TYPES[str(kind)]} AS "{column}"' for column, kind in tables.schema(table).items())
        return f"CREATE VIEW {name} AS SELECT {types}, NULL::VARCHAR AS part WHERE false"
    listed = ", ".join(_quoted(str(path)) for path in found)
    columns = ", ".join(f'"{column}"' for column in tables.schema(table))
    rows = f"read_parquet([{listed}], filename = true, union_by_name = true)"
    return f"CREATE VIEW {name} AS SELECT {columns}, parse_filename(parse_dirpath(filename)) AS part FROM {rows}"  # noqa: S608 - names of our own, and quoted paths


#: polars' names of types, as DuckDB's.
_TYPES: Final = {
    "String": "VARCHAR",
    "Int64": "BIGINT",
    "Float64": "DOUBLE",
    "Boolean": "BOOLEAN",
    "Datetime(time_unit='us', time_zone=None)": "TIMESTAMP",
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
