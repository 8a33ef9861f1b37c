"""SLURM's short form of host names, written out: `gpu[01-03,7],login1` is four hosts."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A job has no more nodes than this; a text that says so is no list of hosts.
MOST: Final = 20_000
_PART: Final = re.compile(r"[^,\[\]]*(?:\[[^\[\]]*\][^,\[\]]*)*")


def hosts(text: str) -> list[str]:
    """The names that a list of hosts stands for; a text that is none, or that stands for too many, is one name."""
    try:
        found = [host for part in _PART.findall(text) if part.strip() for host in _written_out(part.strip())]
    except ValueError:
        return [text]
    return found if len(found) <= MOST else [text]


def _written_out(part: str) -> list[str]:
    """One name with ranges in it. ValueError for what is no range, and for too many names."""
    pieces = re.split(r"\[([^\[\]]*)\]", part)
    choices = [list(_range(piece)) if place % 2 else [piece] for place, piece in enumerate(pieces)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST:
        raise ValueError(part)
    return ["".join(names) for names in product(*choices)]


def _range(text: str) -> Iterator[str]:
    for one in text.split(","):
        first, _, last = one.partition("-")
        if not last:
            yield one
            continue
        low, high = int(first), int(last)
        if not 0 <= high - low < MOST:
            raise ValueError(text)
        yield from (f"{number:0{len(first)}d}" for number in range(low, high + 1))
