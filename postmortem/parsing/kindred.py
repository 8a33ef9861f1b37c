"""The template of a shape out of that of another, which differs in how long numbers are, and in addresses alone.

To understand a record takes a hundred times as long as to fill it, and a log has thousands of shapes: `loss: 9.5` and
`loss: 10.25`, a hash behind a file's name. Where only what was read as a number is longer, and no bound on how many
digits there may be lies between, the same is read in it, some bytes further on. Where anything else could have decided,
no template is found, and the record is understood by itself.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.parsing.shapes import LONGEST_SHAPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postmortem.parsing.template import Placing, Row, Span, Template

#: Addresses and hashes, `0x7f3a21c0` and `3fa94b01`, but for what begins as a number with letters behind it, `25e05ab`;
#: digits behind or before a comma, which may be thousands; other digits.
_TOKEN: Final = re.compile(
    rb"(?P<hash>(?:(?<![0-9A-Za-z_])|(?<=0x))(?=[a-f]+[0-9]|[0-9]++(?:e[0-9]++)?+[a-f]+[0-9])"
    rb"(?=[0-9e]*[a-df])[0-9a-f]{6,64}(?![0-9A-Za-z_]))"
    rb"|(?P<grouped>(?<=[0-9],)[0-9]+|[0-9]+(?=,[0-9]))|[0-9]+"
)
#: So many digits at most are in any bound that an expression of `parsing/` sets, or a type of `pattern.TYPES`.
_BOUNDS: Final = (2, 3, 4, 5, 6, 9, 12, 17, 18)
#: By the number of digits a digit for them: all between two bounds have the same.
_LENGTHS: Final = bytes(ord("0") + sum(length > bound for bound in _BOUNDS) for length in range(LONGEST_SHAPE + 1))
#: Shapes of one kind that are compared with a new one.
_MOST: Final = 8
#: Bytes of all records that are remembered; what is kept of their numbers takes some twenty times as much.
_MOST_BYTES: Final = 2 * 2**20
_NUMBERS: Final = frozenset({"num", "int", "percent"})


class _Known(NamedTuple):
    """A record that was understood."""

    record: bytes
    tokens: list[re.Match[bytes]]
    template: Template
    number: int


class Kindred:
    """The shapes that were understood, by what they have in common with others."""

    def __init__(self) -> None:
        self._known: dict[bytes, list[_Known]] = {}
        self._bytes = 0

    def find(self, record: bytes) -> Template | int | None:
        """The template of `record` made out of a known one; the number of the known one if it holds as it is."""
        known = self._known.get(_kind(record))
        if not known:
            return None
        tokens = list(_TOKEN.finditer(record))
        return next((found for one in known if (found := _made(one, record, tokens)) is not None), None)

    def add(self, record: bytes, template: Template, number: int) -> None:
        """Remember a record that was understood, where its template can be that of others."""
        if template.block or template.columns or template.cells or template.tabled_by or template.split:
            return  # these hold what stands at characters of the body
        self._bytes += len(record)
        if self._bytes > _MOST_BYTES:
            return
        known = self._known.setdefault(_kind(record), [])
        if len(known) < _MOST:
            known.append(_Known(record, list(_TOKEN.finditer(record)), template, number))


def _kind(record: bytes) -> bytes:
    """What a record has in common with its kindred: the record, but for its digits and hashes."""
    return _TOKEN.sub(_mark, record)


def _mark(token: re.Match[bytes]) -> bytes:
    """What stands for a token: digits, since all digits of a record are in tokens, and no two tokens touch."""
    digits = token[0]
    match token.lastgroup:
        case "hash":
            return b"01" if digits[:1].isdigit() else b"02"
        case "grouped":
            return b"1%d" % len(digits)
    return _LENGTHS[len(digits) : len(digits) + 1]


def _made(known: _Known, record: bytes, tokens: list[re.Match[bytes]]) -> Template | int | None:
    template, pairs = known.template, list(zip(known.tokens, tokens, strict=True))
    differ = [one for one, other in pairs if len(one[0]) != len(other[0]) or one.lastgroup == "hash"]
    if not (spans := list(_spans(template))) and not template.looked_at:
        return known.number if all(token.lastgroup == "hash" for token in differ) else None
    numbers = [(span.start, span.end) for span in spans if span.type in _NUMBERS]
    if not all(_may_differ(token, numbers, template) for token in differ):
        return None
    ends = [token.end() for token in known.tokens]
    moved = [0, *accumulate(len(other[0]) - len(one[0]) for one, other in pairs)]

    def at(byte: int) -> int:
        return byte + moved[bisect_right(ends, byte)]

    looked_at = tuple(map(at, template.looked_at))
    if any(known.record[old] != record[new] for old, new in zip(template.looked_at, looked_at, strict=True)):
        return None
    return template._replace(
        places=tuple(_placing(place, at) for place in template.places),
        rows=tuple(_row(row, at) for row in template.rows),
        looked_at=looked_at,
    )


def _may_differ(token: re.Match[bytes], numbers: list[tuple[int, int]], template: Template) -> bool:
    """Whether nothing but what is read there depends on it."""
    start, end = token.span()
    if any(start <= byte < end for byte in template.looked_at):
        return False
    if token.lastgroup != "hash":
        return any(first <= start and end <= last for first, last in numbers)
    within = all(
        last <= start or end <= first or (first <= start and end <= last and span_type not in _NUMBERS)
        for first, last, span_type in _spans(template)
    )
    named = token[0].decode()
    return within and not any(named in str(value) for row in template.rows for _, value in row.constants)


def _spans(template: Template) -> Iterator[Span]:
    for place in template.places:
        yield from (span for span in _of_place(place) if span is not None)
    for row in template.rows:
        yield from (span for _, span in row.spans)


def _of_place(place: Placing) -> tuple[Span | None, ...]:
    return place.step, place.epoch, place.rank, place.ts, place.job, place.total


def _placing(place: Placing, at: Callable[[int], int]) -> Placing:
    step, epoch, rank, ts, job, total = (_moved(span, at) if span else None for span in _of_place(place))
    return place._replace(step=step, epoch=epoch, rank=rank, ts=ts, job=job, total=total)


def _row(row: Row, at: Callable[[int], int]) -> Row:
    return row._replace(spans=tuple((name, _moved(span, at)) for name, span in row.spans))


def _moved(span: Span, at: Callable[[int], int]) -> Span:
    return span._replace(start=at(span.start), end=at(span.end))
