"""Values that nobody names, behind what counts and a sign: `Epoch 3: 0.5`, `step 40, 0.5, 0.25`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers
from postmortem.parsing.numbers import read
from postmortem.parsing.reading import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.reading import Reading

#: What is no count: a number with decimals or an exponent, or none at all.
_VALUE: Final = r"[-+]?(?:[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]{1,4})?|[0-9]+[eE][-+]?[0-9]{1,4}|(?i:nan|inf))"
#: Before the counter stands its word, and at most another one; behind it what it counts to, and a sign.
_BEFORE: Final = re.compile(r"\s*[^\w\s]{0,8}\s{0,8}(?:[A-Za-z]{1,12}[\W_]{1,8}){0,2}\Z")
_BEHIND: Final = re.compile(
    r"(?:\s?/\s?[0-9]{1,12})?[\])]?\s{0,8}(?:[-=]?>|[:=,|-])\s{0,8}"
    rf"(?P<values>{_VALUE}(?:(?:\s?[,;|]\s?|\s{{1,8}}){_VALUE}){{0,11}})"
    # a remark of whoever printed it
    r"\s*(?:[(\[<#\u2190\u2192].*|[,;|])?\Z"
)
_EACH: Final = re.compile(_VALUE)


def unnamed(text: str, reading: Reading) -> Iterator[Pair]:
    """The values of a record that holds nothing else but what counts; they are called by their places, `column_1`."""
    places = [at for at in (reading.step_at, reading.epoch_at) if at is not None]
    if reading.holds or not places:
        return
    text = loggers.blanked(text)
    if not _BEFORE.match(text, 0, min(places)[0]) or not (found := _BEHIND.match(text, max(places)[1])):
        return
    for place, value in enumerate(_EACH.finditer(text, *found.span("values")), 1):
        yield Pair(f"column_{place}", read(value[0]), value[0], value.span())
