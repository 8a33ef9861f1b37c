"""Which queries can return anything: what they cannot do without is asked of each table once, for all of them.

To plan a query takes DuckDB some milliseconds, whatever the table holds, and most rules find nothing in most logs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.rules.needs import Need, Needs
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
            met = conditions.met(name, tables)
            for parts, part, numbers in left:
                if not all(met[number] for number in numbers):
                    parts.remove(part)
    return [not one.needs or bool(parts) for one, parts in zip(asked, waiting, strict=True)]


class _Conditions:
    """Conditions on the rows of one table, each once, whatever the parameters of different rules are called."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[str, ...], tuple[tuple[str, float], ...]], int] = {}

    def add(self, need: Need, asked: Asked) -> int:
        """The number of the need's condition."""
        conditions = need.conditions if asked.trusted and asked.params.keys() >= set(need.params) else ()
        values = tuple((name, asked.params[name]) for name in need.params) if conditions else ()
        return self._numbers.setdefault((conditions, values), len(self._numbers))

    def met(self, name: str, tables: Tables) -> list[bool]:
        """Whether a row of the table meets it, for each condition by its number."""
        texts: list[str] = []
        params: dict[str, float] = {}
        for number, (conditions, values) in enumerate(self._numbers):
            params |= {f"{param}_{number}": value for param, value in values}
            renamed = (_PARAMETER.sub(rf"$\1_{number}", condition) if values else condition for condition in conditions)
            texts.append(" AND ".join(renamed))
        return tables.have(name, texts, params)
