"""A speed that its unit alone names: `loss 0.5  6.25 ms/step  10340 samples/s`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import read
from postmortem.parsing.reading import Pair

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from postmortem.parsing.reading import Where

_SPEED: Final = re.compile(
    r"(?<![\w.:=/-])(?P<value>[0-9]{1,12}(?:\.[0-9]{1,9})?)\s?"
    r"(?:(?P<time>(?:ms|secs?|s)/(?:step|it|iter|batch))"
    r"|(?:samples|tokens|toks?|images|imgs?|examples|seqs?|frames|its?|steps|batches)/(?:sec|s))(?![\w/])"
)


def speeds(text: str, taken: Collection[Where]) -> Iterator[Pair]:
    """The time of a step, and how much is done in a second, where no name stands before the number."""
    if "/s" not in text and "s/" not in text:
        return
    for found in _SPEED.finditer(text):
        if found.span("value") not in taken:
            name = "step_time" if found["time"] else "throughput"
            yield Pair(name, read(found["value"]), found["value"], found.span("value"))
