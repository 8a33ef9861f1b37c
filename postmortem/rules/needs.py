"""What a query cannot do without: rows of a table that meet certain conditions, of which a log may have none.

Read from DuckDB's parse of the query (`sql.py`). It is a part of its conditions, never more: where the needs are met,
the query may still return nothing; where they are not, it does.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postmortem.errors import PostmortemError
from postmortem.rules import sql
from postmortem.rules.database import MACROS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from postmortem.rules.sql import Node

#: Of these alternatives, such as the SELECTs of a UNION, one must have all that it needs. None are said: any will do.
Needs = tuple[tuple["Need", ...], ...]

#: Beyond so many alternatives it costs more to ask than to run the query.
_MOST: Final = 16
#: What makes a condition say more than the row it is asked of: another query, or a function of a value's parts.
_BEYOND_THE_ROW: Final = frozenset({"SUBQUERY", "LAMBDA", "LAMBDA_REF", "WINDOW", "STAR", "POSITIONAL_REFERENCE"})
#: Aggregates that are null of no rows, so that nothing compares with them.
_NULL_OF_NONE: Final = frozenset({
    "arg_max", "arg_min", "avg", "max", "median", "min", "mode", "quantile_cont", "regr_r2", "regr_slope", "stddev_pop",
    "stddev_samp", "sum",
})  # fmt: skip
_COUNTS: Final = frozenset({"count", "count_star"})
_COMPARISONS: Final = frozenset({
    "COMPARE_BETWEEN", "COMPARE_EQUAL", "COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO", "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO", "COMPARE_NOTEQUAL",
})  # fmt: skip


class Condition(NamedTuple):
    """What a row of a table must meet."""

    sql: str
    columns: tuple[str, ...]  # of the table, which it names
    params: tuple[str, ...] = ()  # of the rule, which it names


class Need(NamedTuple):
    """A row of a table that meets all these conditions."""

    table: str
    conditions: tuple[Condition, ...] = ()
    texts: tuple[tuple[str, tuple[str, ...]], ...] = ()  # what columns may be, where conditions name all that they may


def load(data: Sequence[Sequence[Sequence[Any]]]) -> Needs:
    """Needs that were JSON."""
    return tuple(
        tuple(
            Need(
                table,
                tuple(Condition(text, tuple(columns), tuple(params)) for text, columns, params in conditions),
                tuple((column, tuple(texts)) for column, texts in known),
            )
            for table, conditions, known in part
        )
        for part in data
    )


def of(node: Node, clauses: Mapping[str, Node] | None = None) -> Needs:
    """The needs of a parsed query, none where that cannot be said. `clauses` are the WITH clauses around it."""
    known = {**(clauses or {}), **_clauses(node)}
    if node.get("type") == "SET_OPERATION_NODE" and node.get("setop_type") == "UNION":
        halves = [of(child, known) for child in node.get("children") or (node["left"], node["right"])]
        return tuple(need for half in halves for need in half) if all(halves) else ()
    if node.get("type") != "SELECT_NODE" or _answers_nothing(node):
        return ()
    conditions = [node["where_clause"] or {}]
    sources = list(_sources(node["from_table"], conditions))
    conjuncts = [part for condition in conditions for part in _conjuncts(condition)]
    alone = len(sources) == 1 and node["from_table"]["type"] != "JOIN"
    needs = [_of_source(source, conjuncts, known, alone=alone) for source in sources]
    found = [tuple(need for part in chosen for need in part) for chosen in product(*(filter(None, needs)))]
    return tuple(found) if any(found) and len(found) <= _MOST else ()


def _of_source(source: Node, conjuncts: Sequence[Node], clauses: Mapping[str, Node], *, alone: bool) -> Needs:
    if source["type"] == "SUBQUERY":
        return of(source["subquery"]["node"], clauses)
    if source["type"] != "BASE_TABLE":
        return ()
    table = source["table_name"]
    if table in clauses:
        return of(clauses[table], {name: clause for name, clause in clauses.items() if name != table})
    alias = source["alias"] or table
    asked = [(part, one) for part in conjuncts if (one := _condition(part, alias, alone=alone)) is not None]
    texts = [found for part, _ in asked if (found := _texts(part)) is not None]
    return (
        (
            Need(
                table,
                tuple(one for _, one in asked),
                tuple(sorted((column, tuple(sorted(set(found)))) for column, found in texts)),
            ),
        ),
    )


def _clauses(node: Node) -> dict[str, Node]:
    entries = (node.get("cte_map") or {}).get("map", ())
    return {entry["key"]: entry["value"]["query_node"] for entry in entries}


def _answers_nothing(node: Node) -> bool:
    """Whether it returns a row even of no rows: it aggregates all of them, and does not ask for any to be there."""
    chosen = sql.parts([node["select_list"], node["having"]], subqueries=False)
    grouped = (node["group_expressions"] and len(node["group_sets"]) <= 1) or _grouped_by_all(node)
    if grouped or not _aggregates(chosen):
        return False
    named = {item["alias"]: item for item in node["select_list"] if item.get("alias")}
    return not any(_some(part, named) for part in _conjuncts(node["having"] or {}))


def _grouped_by_all(node: Node) -> bool:
    """GROUP BY ALL, where there is a column that is not aggregated."""
    if node.get("aggregate_handling") != "FORCE_AGGREGATES":
        return False
    items = [list(sql.parts(item, subqueries=False)) for item in node["select_list"]]
    return any(any(part.get("type") == "COLUMN_REF" for part in item) and not _aggregates(item) for item in items)


def _aggregates(parts: Iterable[Node]) -> bool:
    named = (part["function_name"].lower() for part in parts if "function_name" in part and part["class"] != "WINDOW")
    return not sql.aggregates().isdisjoint(named)


def _some(part: Node, named: Mapping[str, Node]) -> bool:
    """`count(*) >= 3`, or a comparison with an aggregate that is null of no rows. `named` are those with an alias.

    A parameter that a count has to reach is above 0, as one of 0 would ask for nothing; one that it has to be may be 0.
    """
    left, right = part.get("left") or part.get("input") or {}, part.get("right") or {}
    if left.get("type") == "COLUMN_REF":
        left = named.get(left["column_names"][-1], left)
    function = left.get("function_name", "").lower()
    if function in _NULL_OF_NONE:
        return part.get("type") in _COMPARISONS
    if function not in _COUNTS:
        return False
    least = (right.get("literal") or {}).get("text", "")
    reached = right.get("class") == "PARAMETER" or (least.isdigit() and least != "0")
    match part.get("type"):
        case "COMPARE_GREATERTHAN":
            return reached or least == "0"
        case "COMPARE_GREATERTHANOREQUALTO":
            return reached
        case "COMPARE_EQUAL":
            return reached and right.get("class") != "PARAMETER"
    return False


def _sources(source: Node, conditions: list[Node]) -> Iterator[Node]:
    """What is joined so that a row of it is needed; `conditions` gets those of inner joins."""
    if source["type"] != "JOIN":
        yield source
    elif source["join_type"] in ("INNER", "LEFT") and source["ref_type"] != "POSITIONAL":
        yield from _sources(source["left"], conditions)
        if source["join_type"] == "INNER":
            yield from _sources(source["right"], conditions)
            conditions.append(source["condition"] or {})


def _conjuncts(condition: Node) -> Sequence[Node]:
    return condition["children"] if condition.get("type") == "CONJUNCTION_AND" else [condition]


def _condition(part: Node, alias: str, *, alone: bool) -> Condition | None:
    """A condition on a row of the table with this alias, which stands `alone` where names need no alias. Else None."""
    within = list(sql.parts(part))
    columns = [one["column_names"] for one in within if one.get("type") == "COLUMN_REF"]
    params = {one["identifier"] for one in within if one.get("class") == "PARAMETER"}
    if any(one.get("class") in _BEYOND_THE_ROW or one.get("function_name") in MACROS for one in within):
        return None
    # where a text has the looks of a parameter, one cannot be told from the other
    marked = any("$" in str((one.get("literal") or {}).get("text", "")) for one in within)
    if marked and params:
        return None
    if not columns or not all(path[:-1] == [alias] or (alone and len(path) == 1) for path in columns):
        return None
    try:
        return Condition(sql.condition(part), tuple(sorted({path[-1] for path in columns})), tuple(sorted(params)))
    except PostmortemError:
        return None


def _texts(part: Node) -> tuple[str, Sequence[str]] | None:
    """Column and texts of `kind = 'x'`, `kind IN ('x', ...)`, or of these joined by OR where it is one column."""
    children = part.get("children") or [part.get("left") or {}, part.get("right") or {}]
    if part.get("type") == "CONJUNCTION_OR":
        known = [found for child in children if (found := _texts(child)) is not None]
        columns = {column for column, _ in known}
        if len(known) < len(children) or len(columns) > 1:
            return None
        return columns.pop(), [text for _, texts in known for text in texts]
    column, *others = children
    if part.get("type") not in ("COMPARE_EQUAL", "COMPARE_IN") or column.get("type") != "COLUMN_REF":
        return None
    literals = [other.get("literal") or {} for other in others]
    if not all(one.get("kind") == "STRING" for one in literals):
        return None
    return column["column_names"][-1], [one["text"] for one in literals]
