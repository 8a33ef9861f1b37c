"""What a rule's SQL says, read from DuckDB's own parse of it and without running any of it.

Which tables and columns it reads, which parameters it takes, what it cannot do without; and what no rule may ask for:
anything beyond one SELECT over frames and signals.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from postmortem.errors import PostmortemError
from postmortem.rules import needs
from postmortem.rules.sql import parse
from postmortem.rules.sql import parts as parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.rules.sql import Node

#: What a query may read beside frames and signals: rows that it makes of its own values.
_SOURCES: Final = frozenset({"generate_series", "json_each", "json_tree", "range", "unnest"})
#: Where rows come from. A PIVOT, SHOW or DESCRIBE is none of these.
_PLACES: Final = frozenset({"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "SUBQUERY", "TABLE_FUNCTION"})
#: What tells of the machine, the session or the clock, or acts on them.
_FORBIDDEN: Final = frozenset({
    "current_connection_id", "current_database", "current_query", "current_query_id", "current_role",
    "current_setting", "current_transaction_id", "current_user", "currval", "getenv", "getvariable", "in_search_path",
    "nextval", "pg_conf_load_time", "pg_postmaster_start_time", "random", "session_user", "setseed", "sleep_ms",
    "txid_current", "uuid", "uuidv4", "uuidv7", "version", "write_log",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What one SELECT reads."""

    tables: tuple[str, ...]  # frames, signals and the names of its own WITH clauses
    own: tuple[str, ...]  # those names
    columns: tuple[str, ...] | None  # of all tables together; None: any of them
    params: tuple[str, ...]
    functions: tuple[str, ...]
    needs: needs.Needs = ()

    def dump(self) -> dict[str, Any]:
        """As JSON gives it back."""
        data: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return data

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Query:
        """What `dump` gave, through JSON. ValueError, TypeError or KeyError for anything else."""
        columns = None if data["columns"] is None else tuple(data["columns"])
        rest = {name: tuple(data[name]) for name in ("tables", "own", "params", "functions")}
        return cls(**rest, columns=columns, needs=needs.load(data["needs"]))


def read(sql: str) -> Query:
    """What a query says. PostmortemError: the reason why no rule may have it, without the rule's name."""
    node = parse(sql)
    parts = list(parts_of(node))
    own = {entry["key"] for part in parts for entry in (part.get("cte_map") or {}).get("map", ())}
    tables = {part["table_name"]: part for part in parts if part.get("type") == "BASE_TABLE"}
    functions = {part["function_name"].lower() for part in parts if "function_name" in part}
    _refuse(parts, functions)
    return Query(
        tables=tuple(sorted(tables)),
        own=tuple(sorted(own)),
        columns=None if _whole(node, _clauses(parts)) else _columns(parts, set(tables)),
        params=tuple(sorted({part["identifier"] for part in parts if part.get("class") == "PARAMETER"})),
        functions=tuple(sorted(functions)),
        needs=needs.of(node),
    )


def _refuse(parts: list[Node], functions: set[str]) -> None:
    for part in parts:
        if part.get("type") == "BASE_TABLE" and (part["schema_name"] or part["catalog_name"]):
            name = ".".join(filter(None, (part["catalog_name"], part["schema_name"], part["table_name"])))
            raise PostmortemError(f"no frame or signal {name!r}; a rule reads no other table and no file")
        if "query_location" in part and _is_source(part):
            if str(part["type"]) not in _PLACES:
                raise PostmortemError(f"a rule selects from frames and signals, not by {part['type'].lower()}")
            if part["type"] == "TABLE_FUNCTION" and (name := part["function"]["function_name"].lower()) not in _SOURCES:
                raise PostmortemError(f"{name}() is disabled: a rule reads frames and signals, no file and no setting")
    for name in sorted(functions & _FORBIDDEN):
        raise PostmortemError(f"{name}() is disabled: it does not tell of the log")


def _is_source(part: Node) -> bool:
    """What stands in a FROM clause, by the one field that all such nodes and nothing else has."""
    return "sample" in part and "alias" in part


def _clauses(parts: list[Node]) -> dict[str, Node]:
    entries = (entry for part in parts for entry in (part.get("cte_map") or {}).get("map", ()))
    return {entry["key"]: entry["value"]["query_node"] for entry in entries}


def _whole(node: Node, clauses: Mapping[str, Node]) -> bool:
    """Whether a * in what a query returns stands for columns of a table that nobody names.

    A * within a query stands for what is named around it, unless all of it decides which rows there are.
    """
    if any(_has_star(part) for part in parts_of(node)) and any(
        part.get("type") in ("DISTINCT_MODIFIER", "RECURSIVE_CTE_NODE")
        or part.get("setop_all") is False
        or part.get("aggregate_handling") == "FORCE_AGGREGATES"
        for part in parts_of(node)
    ):
        return True
    return _returns_table(node, clauses)


def _returns_table(node: Node, clauses: Mapping[str, Node]) -> bool:
    if node.get("type") != "SELECT_NODE":
        sides = [node.get("left"), node.get("right"), *(node.get("children") or ())]
        return any(_returns_table(side, clauses) for side in sides if side)
    if not _has_star(node):
        return False
    waiting = [node["from_table"]]
    while waiting:
        source = waiting.pop()
        if source["type"] == "JOIN":
            waiting += source["left"], source["right"]
        elif source["type"] == "SUBQUERY" and _returns_table(source["subquery"]["node"], clauses):
            return True
        elif source["type"] == "BASE_TABLE":
            within = {name: clause for name, clause in clauses.items() if name != source["table_name"]}
            if len(within) == len(clauses) or _returns_table(clauses[source["table_name"]], within):
                return True
    return False


def _has_star(node: Node) -> bool:
    return any(part.get("class") == "STAR" for part in node.get("select_list") or ())


def _columns(parts: list[Node], tables: set[str]) -> tuple[str, ...] | None:
    """The columns by name; None where a pattern or a whole row stands for them."""
    names: set[str] = set()
    aliases = {part["alias"] for part in parts if _is_source(part) and part["alias"]}
    for part in parts:
        if part.get("columns") or part.get("ref_type") == "NATURAL":
            return None
        if part.get("class") == "COLUMN_REF":
            if part["column_names"][0] in aliases | tables and len(part["column_names"]) == 1:
                return None
            names.update(part["column_names"])
        names.update(part.get("using_columns") or ())
    return tuple(sorted(names))
