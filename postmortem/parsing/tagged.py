"""A tag, its value and its step alone in a record, as a writer for a board echoes them: `losses/q1 65.25 193000`."""

from __future__ import annotations

import re
from typing import Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Pair, Reading

#: A tag has a path of two parts at least, so that it is told from words; one number in brackets is that number.
_TAGGED: Final = re.compile(
    rf"\s*(?P<tag>[A-Za-z_][\w-]{{0,40}}(?:/[A-Za-z_][\w-]{{0,40}}){{1,3}})\s+\[?(?P<value>{NUMBER})\]?\s+(?P<step>[0-9]{{1,12}})\s*"
)


def tagged(text: str) -> Reading | None:
    """The metric and its step, or None for a record that is no such."""
    found = _TAGGED.fullmatch(text)
    if found is None or "." not in found["value"]:
        return None
    return Reading(
        metrics=[Pair(found["tag"], read(found["value"]), found["value"], found.span("value"))],
        step=int(found["step"]),
        step_unit="unknown",
        step_at=found.span("step"),
    )
