"""Rules that were read before, with what their queries say: YAML and SQL take long to read (see `cache.py`)."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import duckdb

from postmortem import cache
from postmortem.errors import PostmortemError
from postmortem.rules import needs, query, rule, sql
from postmortem.rules.query import Query
from postmortem.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: What decides what a file holds, beside the version of DuckDB, whose parse a query is.
_CODE: Final = (("rule", rule.__file__), ("query", query.__file__), ("needs", needs.__file__), ("sql", sql.__file__))


def load_folder(root: Path) -> tuple[list[Rule], list[str]]:
    """All rules below a folder, and one line for each file that is none. PostmortemError if there is no folder."""
    paths = sorted(root.rglob("*.yaml"))
    names = [path.relative_to(root).as_posix() for path in paths]
    place = cache.place("rules", [*_CODE, *zip(names, paths, strict=True)], duckdb.__version__)
    if place is not None:
        with suppress(ValueError, TypeError, KeyError):  # a ValidationError is a ValueError
            return list(_kept(place, tuple(paths))), []
    rules, errors = rule.load_folder(root)
    if not errors:
        cache.keep(place, [_data(one) for one in rules])
    return rules, errors


def _data(one: Rule) -> dict[str, Any]:
    # with what is unset: defaults that can be changed are copied in depth, for each rule
    said = one.model_dump(mode="json", by_alias=True, exclude={"path"})
    with suppress(PostmortemError):  # a query that no rule may have is refused each time it is asked for
        return {"rule": said, "query": one.query.dump()}
    return {"rule": said, "query": None}


@lru_cache(maxsize=8)
def _kept(place: Path, paths: Sequence[Path]) -> Sequence[Rule]:
    """The rules that are kept there; what this process has restored once it has. TypeError where there are none."""
    data: Sequence[dict[str, Any]] = cache.kept(place)
    rules = []
    for kept, path in zip(data, paths, strict=True):
        one = Rule.model_validate({**kept["rule"], "path": path})
        if kept["query"] is not None:
            one.know(Query.load(kept["query"]))
        rules.append(one)
    return rules
