"""What a query cannot do without: rows with certain names or flags, of which a log may have none.

Read from DuckDB's parse of the query (`query.py`). It is a part of its conditions, never more: where the needs are met,
the query may still return nothing; where they are not, it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Node = Mapping[str, Any]

#: Of the SELECTs of a UNION one must have all that it needs.
Needs = tuple[tuple["Need", ...], ...]


class Need(NamedTuple):
    """A row of a table with one of these values in a column. What has one `source` must be the same row."""

    source: str  # the table's name in the query: a table that is joined with itself has two
    table: str
    column: str
    values: tuple[str, ...] | tuple[bool, ...]


def load(data: Sequence[Sequence[Sequence[Any]]]) -> Needs:
    """Needs that were JSON."""
    return tuple(
        tuple(Need(source, table, column, tuple(values)) for source, table, column, values in part) for part in data
    )


def of(node: Node, own: Collection[str], aggregates: Collection[str]) -> Needs:
    """The needs of a parsed query, none where that cannot be said. `own` are the names of its WITH clauses."""
    if node.get("type") == "SET_OPERATION_NODE" and node.get("setop_type") == "UNION":
        parts = [of(child, own, aggregates) for child in node.get("children") or (node["left"], node["right"])]
        return tuple(need for part in parts for need in part) if all(parts) else ()
    if node.get("type") != "SELECT_NODE" or _counts(node, aggregates):
        return ()
    conditions = [node["where_clause"] or {}]
    tables = dict(_tables(node["from_table"], conditions))
    found = [need for condition in conditions for need in _conditions(condition, tables) if need.table not in own]
    return (tuple(found),) if found else ()


def _counts(node: Node, aggregates: Collection[str]) -> bool:
    """Whether it returns a row even of no rows: it aggregates all of them, and does not ask for any to be there."""
    chosen = parts([node["select_list"], node["having"]])
    grouped = node["group_expressions"] and len(node["group_sets"]) <= 1
    if grouped or not any(part.get("function_name", "").lower() in aggregates for part in chosen):
        return False
    return not any(_some(part) for part in _conjuncts(node["having"] or {}))


def _some(part: Node) -> bool:
    """`count(*) > 0`."""
    left, right = part.get("left") or {}, part.get("right") or {}
    counted = part.get("type") == "COMPARE_GREATERTHAN" and left.get("function_name") == "count_star"
    return bool(counted and (right.get("literal") or {}).get("text") == "0" and not left.get("filter"))


def _tables(source: Node, conditions: list[Node], *, inner: bool = True) -> Iterator[tuple[str, str]]:
    """The tables that are joined, by the names that the query has for them; `conditions` gets those of inner joins."""
    if source["type"] == "JOIN":
        kind = source["join_type"]
        yield from _tables(source["left"], conditions, inner=inner and kind in ("INNER", "LEFT"))
        yield from _tables(source["right"], conditions, inner=inner and kind == "INNER")
        if inner and kind == "INNER":
            conditions.append(source["condition"] or {})
    else:
        name = source["table_name"] if source["type"] == "BASE_TABLE" else ""
        yield source["alias"] or name, name


def _conditions(condition: Node, tables: Mapping[str, str]) -> Iterator[Need]:
    for part in _conjuncts(condition):
        if (found := _asked(part)) is None:
            continue
        path, values = found
        if len(path) == 1 and len(tables) == 1:
            path = (*tables, *path)
        if len(path) == _QUALIFIED and (table := tables.get(path[0])):
            yield Need(path[0], table, path[1], values)


#: A table's name and a column's.
_QUALIFIED: Final = 2


def _conjuncts(condition: Node) -> Sequence[Node]:
    return condition["children"] if condition.get("type") == "CONJUNCTION_AND" else [condition]


def _asked(part: Node) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
    """A column and the values that it may have: `a`, `NOT a`, `a = 'x'`, `a IN ('x', ...)`, or these joined by OR."""
    kind, children = part.get("type"), part.get("children") or [part.get("left") or {}, part.get("right") or {}]
    if kind == "COLUMN_REF":
        return tuple(part["column_names"]), (True,)
    if kind == "CONJUNCTION_OR":
        known = [one for child in children if (one := _asked(child)) is not None]
        if len(known) == len(children) and len({path for path, _ in known}) == 1:
            return known[0][0], tuple(sorted({value for _, values in known for value in values}, key=str))
    column, *others = children
    if column.get("type") != "COLUMN_REF":
        return None
    if kind == "OPERATOR_NOT":
        return tuple(column["column_names"]), (False,)
    literals = [other.get("literal") or {} for other in others]
    if kind in ("COMPARE_EQUAL", "COMPARE_IN") and all(literal.get("kind") == "STRING" for literal in literals):
        return tuple(column["column_names"]), tuple(sorted({literal["text"] for literal in literals}))
    return None


def parts(node: object) -> Iterator[Node]:
    """Every object of a parsed query, the outer ones first. It cannot recurse without end: the parser did not."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
