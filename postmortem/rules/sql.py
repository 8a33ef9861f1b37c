"""DuckDB's own parse of a query, as JSON, and a condition of it as text again. Nothing is run."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import duckdb

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    #: A SELECT, an expression, a table: whatever DuckDB's parser makes an object of.
    Node = Mapping[str, Any]

#: Characters of a query. The parser calls itself for what is nested, and its stack has an end.
_LONGEST: Final = 16_000
#: A condition is written as that of this query.
_AROUND: Final = "SELECT 1 WHERE "


def parse(sql: str) -> Node:
    """One SELECT, or an operation on several. PostmortemError: why it is none."""
    if len(sql) > _LONGEST:
        raise PostmortemError(f"the query has {len(sql):,} characters; {_LONGEST:,} are read")
    try:
        said = json.loads(_said("json_serialize_sql", sql))
    except (duckdb.Error, RecursionError):
        raise PostmortemError("the query is nested too deeply") from None
    if said["error"]:
        reason = " ".join(said["error_message"].split("\n\n")[0].split())
        if said["error_type"] == "not implemented":
            reason = (
                "a rule is one SELECT statement and nothing else; it changes, sets, loads, shows and pivots nothing"
            )
        raise PostmortemError(reason)
    if len(said["statements"]) != 1:
        raise PostmortemError(f"a rule is one SELECT statement and nothing else, these are {len(said['statements'])}")
    node: Node = said["statements"][0]["node"]
    return node


def condition(node: Node) -> str:
    """A parsed condition as SQL, its columns without their tables. PostmortemError: it cannot be written."""
    bare = copy.deepcopy(node)
    for part in parts(bare):
        if part.get("type") == "COLUMN_REF" and isinstance(part, dict):
            part["column_names"] = part["column_names"][-1:]
    statement = json.loads(_said("json_serialize_sql", f"{_AROUND}true"))
    statement["statements"][0]["node"]["where_clause"] = bare
    try:
        return _said("json_deserialize_sql", json.dumps(statement)).partition(" WHERE ")[2]
    except (duckdb.Error, RecursionError):
        raise PostmortemError("the condition is nested too deeply") from None


def parts(node: object, *, subqueries: bool = True) -> Iterator[Node]:
    """Every object of a parsed query, the outer ones first, those of subqueries only where they are asked for."""
    waiting = [node]  # a call of itself for each level would need a deep stack
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            if subqueries or part.get("class") != "SUBQUERY":
                waiting += part.values()
        elif isinstance(part, list):
            waiting += part


@cache
def aggregates() -> frozenset[str]:
    """The names of the functions that make one value of many rows."""
    rows = _parser().execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")
    return frozenset(name for (name,) in rows.fetchall())


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1})


def _said(function: str, text: str) -> str:
    (said,) = _parser().execute(f"SELECT {function}(?)", [text]).fetchone() or ("",)
    return str(said)
