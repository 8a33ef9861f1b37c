"""Answers as JSON: an object of lists of rows, by the questions' names. ASCII alone."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.report.answers import Answer, Target

SUFFIXES: Final[tuple[str, ...]] = (".json",)


def render(answers: Sequence[Answer], target: Target) -> str:
    """All rows. Numbers that are not finite are strings, as in the JSON of an incident."""
    from postmortem.report.json import text

    del target
    return text({
        answer.name: [_value(row) for row in answer.table.iter_rows(named=True)]
        for answer in answers
    })  # fmt: skip


def _value(value: object) -> object:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {name: _value(one) for name, one in value.items()}
    return value if isinstance(value, str | int | float | None) else str(value)
