"""How many epochs a training was to have, where its counter alone says so: `Epoch [3/500]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem import frames
from postmortem.parsing.seen import EXAMPLE

if TYPE_CHECKING:
    from postmortem.parsing.template import Template

#: As names.yaml has it.
_KEY: Final = "epochs"
#: What stands right behind the epoch.
_OF: Final = re.compile(rb"\s?(?:/|of)\s?([0-9]{1,6})(?![0-9.])")


class Plan(NamedTuple):
    """So many epochs, and the line, and the state of it, that counts to them."""

    place: tuple[int, int]
    epochs: int


def plan_of(template: Template, record: bytes, place: tuple[int, int]) -> Plan | None:
    """What a record's counter of epochs counts to, if it stands at the record's beginning."""
    for placing in template.places:
        if placing.epoch is not None and (found := _OF.match(record[:EXAMPLE], placing.epoch.end)):
            return Plan(place, int(found[1]))
    return None


def planned(settings: pl.DataFrame, plan: Plan | None, file: str) -> pl.DataFrame:
    """`settings`, and the number of epochs of the log's first counter, unless a setting says it."""
    if plan is None or (settings["key"] == _KEY).any():
        return settings
    line, state = plan.place
    told = {"value": str(plan.epochs), "number": float(plan.epochs), "origin": "log", "source_name": "epoch"}
    row = {"file": file, "line": line, "record": state, "key": _KEY} | told
    return pl.concat([settings, frames.build("settings", [row])]).sort("line", "record", maintain_order=True)
