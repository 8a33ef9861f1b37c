"""A DuckDB that reaches nothing outside: no files, no network, no settings. And what comes out of it, bounded.

It is imported by the process that strangers' rules run in, and so imports nothing of this project but a pattern.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import duckdb

from postmortem import objectives

#: Rules ask for a configured value by its name: the last one stated counts. To look into a map takes a query next to
#: nothing, where each subquery would take it some milliseconds of planning.
_MACROS: Final = """
SET VARIABLE stated_numbers = MAP {}::MAP(VARCHAR, DOUBLE);
SET VARIABLE stated_texts = MAP {}::MAP(VARCHAR, VARCHAR);
CREATE MACRO setting(name) AS (getvariable('stated_numbers')[name]);
CREATE MACRO setting_text(name) AS (getvariable('stated_texts')[name]);
"""
#: Which metrics are of an agent or of two nets against each other, whose losses need not fall; and which say how well a
#: task is done, 0 where nothing is right.
_KINDS: Final = rf"""
CREATE MACRO is_of_a_game(name) AS regexp_matches(name, '{objectives.GAME.pattern}');
CREATE MACRO measures_a_task(name) AS regexp_matches(name, '{objectives.TASK.pattern}');
"""
_STATED: Final = """
SET VARIABLE stated_numbers = (SELECT map_from_entries(list((key, said))) FROM (
  SELECT key, last(number ORDER BY line NULLS FIRST) AS said FROM settings
  WHERE key IS NOT NULL AND number IS NOT NULL GROUP BY key));
SET VARIABLE stated_texts = (SELECT map_from_entries(list((key, said))) FROM (
  SELECT key, last(value ORDER BY line NULLS FIRST) AS said FROM settings WHERE key IS NOT NULL GROUP BY key));
"""
#: What those macros read.
MACROS: Final = frozenset({"setting", "setting_text"})
MACRO_TABLE: Final = "settings"
MACRO_COLUMNS: Final = frozenset({"key", "line", "number", "value"})

#: What a finding keeps of a query's answer. A report shows a handful of lines and counts the rest.
MOST_ROWS: Final = 1_000
MOST_COLUMNS: Final = 64
MOST_TEXT: Final = 2_000  # characters of a value
MOST_IN_A_LIST: Final = 1_000
#: Most values of most rows.
_AS_IT_IS: Final = frozenset({bool, float, int, type(None)})


def sealed(memory: str, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A database in at most so much memory, as DuckDB counts it, with the macros; `lock` it once its tables exist."""
    database = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "temp_directory": "",
            "memory_limit": memory,
            "threads": threads,
        },
    )
    database.execute(_MACROS + _KINDS)
    database.execute("SET enable_progress_bar = false")  # it is printed after two seconds, to stdout
    database.execute("SET lock_configuration = true")
    return database


def state(database: duckdb.DuckDBPyConnection) -> None:
    """Tell the macros what is configured, once the table of settings is there."""
    database.execute(_STATED)


class Answer(NamedTuple):
    """The rows of a query, and what was left out of them."""

    rows: list[dict[str, Any]]
    columns: list[str]
    left_out: int = 0  # rows beyond the most that are kept
    cut: int = 0  # values and columns that were longer than what is kept


def answer(database: duckdb.DuckDBPyConnection, sql: str, params: dict[str, float]) -> Answer:
    """What a query returns. duckdb.Error where it cannot be run, MemoryError where it needs too much."""
    try:
        query = f"FROM (\n{sql.rstrip().removesuffix(';')}\n)"
        cursor = database.execute(f"{query} LIMIT {MOST_ROWS + 1}", params)
        described = [column[0][:MOST_TEXT] for column in cursor.description or []]
        columns, cut, rows = described[:MOST_COLUMNS], max(0, len(described) - MOST_COLUMNS), []
        found = cursor.fetchall()
        for row in found[:MOST_ROWS]:
            values = dict(zip(columns, row[:MOST_COLUMNS], strict=True))
            for column, value in values.items():
                if type(value) not in _AS_IT_IS:
                    values[column], shortened = _plain(value)
                    cut += shortened
            rows.append(values)
        left_out = 0
        if len(found) > MOST_ROWS:
            # to count them all takes less than to sort and to fetch them
            (counted,) = database.execute(f"SELECT count(*) {query}", params).fetchone() or (0,)
            left_out = counted - MOST_ROWS
        return Answer(rows, columns, left_out, cut)
    finally:
        database.abort()  # a result that is not fetched to its end keeps the database busy


def reason(error: str) -> str:
    """The first line of what DuckDB says; what follows quotes the query, or tells of its own inside."""
    return error.split("\n", maxsplit=1)[0]


def _plain(value: Any) -> tuple[Any, bool]:  # noqa: ANN401 - whatever a query may return
    """A number, a text, a list of whole numbers, or null: what a finding can hold. And whether it was cut."""
    if isinstance(value, list) and all(type(item) is int for item in value):
        return value[:MOST_IN_A_LIST], len(value) > MOST_IN_A_LIST
    if type(value).__name__ == "Decimal":
        return float(value), False
    text = value if isinstance(value, str) else str(value)
    return text[:MOST_TEXT], len(text) > MOST_TEXT
