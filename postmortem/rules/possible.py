"""Which queries can return anything: what they cannot do without is asked of each table once, for all of them.

To plan a query takes DuckDB some milliseconds, whatever the table holds, and most rules find nothing in most logs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.rules.tables import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from postmortem.rules.needs import Condition, Need, Needs
    from postmortem.rules.tables import Tables

_PARAMETER: Final = re.compile(r"\$(\w+)")


class Asked(NamedTuple):
    """A query, by what it cannot do without."""

    needs: Needs
    params: Mapping[str, float]
    trusted: bool  # its conditions may be run in this process


def possible(asked: Sequence[Asked], tables: Tables) -> list[bool]:
    """For each query False where it would return no row, as far as that can be said."""
    waiting = [[list(part) for part in one.needs] for one in asked]
    # frames are there, signals have to be computed: those that no query is left for are not
    for name in tables:
        conditions = _Conditions()
        left = []
        for one, parts in zip(asked, waiting, strict=True):
            for part in parts.copy():
                wanted = [need for need in part if need.table == name]
                if not all(tables.may_hold(name, *texts) for need in wanted for texts in need.texts):
                    parts.remove(part)
                elif wanted:
                    left.append((parts, part, [conditions.add(need, one) for need in wanted]))
        if left:
            met = tables.have(name, conditions.numbered())
            for parts, part, numbers in left:
                if not all(met[number] for number in numbers):
                    parts.remove(part)
    return [not one.needs or bool(parts) for one, parts in zip(asked, waiting, strict=True)]


class _Conditions:
    """Conditions on the rows of one table, each once, whatever the parameters of different rules are called."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[Condition, ...], tuple[tuple[str, float], ...]], int] = {}

    def add(self, need: Need, asked: Asked) -> int:
        """The number of the need's conditions."""
        params = {name for condition in need.conditions for name in condition.params}
        conditions = need.conditions if asked.trusted and asked.params.keys() >= params else ()
        values = tuple((name, asked.params[name]) for name in sorted(params)) if conditions else ()
        return self._numbers.setdefault((conditions, values), len(self._numbers))

    def numbered(self) -> list[Question]:
        """All of them by their numbers, with parameters that no two of them share."""
        return [_joined(number, *told) for number, told in enumerate(self._numbers)]


def _joined(number: int, conditions: Sequence[Condition], values: Sequence[tuple[str, float]]) -> Question:
    return Question(
        _all(rf"$\1_{number}", conditions),
        {f"{name}_{number}": value for name, value in values},
        frozenset(column for condition in conditions for column in condition.columns),
        _all("", (condition for condition in conditions if condition.columns == ("name",) and not condition.params)),
    )


def _all(parameter: str, conditions: Iterable[Condition]) -> str:
    texts = (_PARAMETER.sub(parameter, one.sql) if one.params else one.sql for one in conditions)
    return " AND ".join(texts)
