"""How many epochs a training was to have, where its counter alone says so: `Epoch [3/500]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem import frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postmortem.parsing.seen import Kind

#: As names.yaml has it.
_KEY: Final = "epochs"
#: What stands right behind the epoch.
_OF: Final = re.compile(rb"\s?(?:/|of)\s?([0-9]{1,6})(?![0-9.])")


def planned(settings: pl.DataFrame, kinds: Iterable[Kind], file: str) -> pl.DataFrame:
    """`settings`, and the number of epochs that each kind of record counts to, unless a setting says it."""
    if (settings["key"] == _KEY).any():
        return settings
    first: dict[int, int] = {}
    for epochs, line in _counted(kinds):
        first[epochs] = min(line, first.get(epochs, line))
    rows = [
        {"file": file, "line": line, "record": 0, "key": _KEY, "value": str(epochs), "number": float(epochs)}
        for epochs, line in sorted(first.items(), key=lambda found: found[1])
    ]
    told = frames.build("settings", rows).with_columns(origin=pl.lit("log"), source_name=pl.lit("epoch"))
    return pl.concat([settings, told]).sort("line", "record", maintain_order=True) if rows else settings


def _counted(kinds: Iterable[Kind]) -> Iterator[tuple[int, int]]:
    for kind in kinds:
        for place in kind.template.places:
            if place.epoch is not None and (found := _OF.match(kind.record, place.epoch.end)):
                yield int(found[1]), kind.line
