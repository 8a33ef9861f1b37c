"""Logs written where a comma begins the decimals, `loss: 0,532`: read as if a point stood there.

No single number tells: `4,784` may be thousands. So a log says it by many, and by having hardly any with a point.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.sources.chunks import Chunk

#: Bytes at a log's beginning that decide.
_HEAD: Final = 64 * 1024
#: So many numbers that cannot be thousands, and so many times as many as have a point.
_FEWEST: Final = 4
_TIMES: Final = 10
#: Behind a word, a semicolon or bar between cells, or a sign that is not of a time of day.
_SIGN: Final = rb"(?:[:=](?<![0-9].)\s?|[A-Za-z)]\s|[;|]\s?)[-+]?"
_END: Final = rb"(?=[\s;|%)\]}]|,\s|\Z)"
_COMMA: Final = re.compile(_SIGN + rb"(?:0,[0-9]+|[1-9][0-9]*,(?:[0-9]{1,2}|[0-9]{4,}))" + _END)
_POINT: Final = re.compile(_SIGN + rb"[0-9]+\.[0-9]+" + _END)
#: The comma of a number that stands by itself.
_DECIMALS: Final = re.compile(rb"(?<=[\s:=(\[;|])([-+]?[0-9]+),(?=[0-9]+(?:[eE][-+]?[0-9]+)?(?:[\s;|%)\]}]|,\s|\Z))")


class _Pointed(NamedTuple):
    """A chunk whose decimals begin with a point. It has the size of the one that it was."""

    chunk: Chunk

    @property
    def goes_on(self) -> bool:
        return self.chunk.goes_on

    @property
    def size(self) -> int:
        return self.chunk.size

    def head(self, size: int) -> bytes:
        return self.data()[:size]

    def data(self) -> bytes:
        return _DECIMALS.sub(rb"\1.", self.chunk.data())

    def write_to(self, buffer: memoryview) -> None:
        buffer[:] = self.data()


def with_points(log: Iterator[Chunk]) -> Iterator[Chunk]:
    """The chunks of a log, those of one that writes its decimals with a comma with points in their place."""
    first = list(islice(log, 1))
    chunks = chain(first, log)
    return map(_Pointed, chunks) if first and _by_comma(first[0].head(_HEAD)) else chunks


def _by_comma(head: bytes) -> bool:
    commas = sum(1 for _ in _COMMA.finditer(head))
    return commas >= _FEWEST and commas >= _TIMES * sum(1 for _ in _POINT.finditer(head))
