"""What a chunk of a log gives: places, metrics, tensors, settings, and records to be filled one by one, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from postmortem.parsing.templates import ALONE, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.arrays import Bytes, Flags, Ints, Values
    from postmortem.parsing.blocks import OpenBlock
    from postmortem.parsing.template import Row, Template


class Some(NamedTuple):
    """A column that not every row has: the rows that have it, and their values; texts are joined by LF."""

    at: Ints
    values: Values | Bytes


class Places(NamedTuple):
    """Where rows belong: the record, its line (both from 0 in the chunk), its state in the line, and what it says."""

    record: Ints
    line: Ints
    state: Ints
    constants: Ints
    step: Some
    epoch: Some
    rank: Some
    ts: Some
    job: Some


class Carries(NamedTuple):
    """What records give to those after them: the step with its unit, and the epoch."""

    step: Some
    unit: Ints
    epoch: Some


class Metrics(NamedTuple):
    """Values of metrics: the place and the constants of each, its value and its text."""

    place: Ints
    constants: Ints
    value: Values
    text: Bytes


class Tensors(NamedTuple):
    """Ranges of tensors: the place and the constants of each, and what it says by column."""

    place: Ints
    constants: Ints
    fields: dict[str, Some]


class Settings(NamedTuple):
    """Settings: the place and the constants of each, its text, and its number where it is one."""

    place: Ints
    constants: Ints
    value: Bytes
    number: Some


@dataclass(frozen=True, slots=True)
class Single:
    """A record of which rows are filled one by one."""

    record: int
    line: int
    state: int
    template: Template
    text: bytes
    number: int  # of its template, which is ALONE where nothing of it stands in the piece's columns
    block: OpenBlock | None = None

    @property
    def whole(self) -> bool:
        """Whether it is filled here as a whole."""
        return self.number == ALONE

    @property
    def rows(self) -> Iterator[Row]:
        """The rows to fill."""
        return (row for row in self.template.rows if self.whole or self.block or not plain(row))


@dataclass(frozen=True, slots=True)
class Piece:
    """What a chunk gives."""

    line_start: Ints  # offsets in the chunk
    ended: bool  # its last line has its end
    unread: Ints  # lines none of whose records anybody understood
    cut: Ints  # lines with a record of which only the beginning was read
    blank: Flags  # of each line, whether nothing is on it
    used: Ints  # templates, that of records inside blocks among them
    counts: Ints  # how many records each of them has
    first: dict[int, tuple[int, int, bytes]]  # of those not met before: line, state and beginning of the first record
    places: Places
    carries: Carries
    clearing: Ints  # records that end what was carried: blank lines
    first_spoken: int  # the first record that is not blank
    last_heads: bool | None  # whether the last one that is not blank is a heading; None: all are blank
    metrics: Metrics
    tensors: Tensors
    settings: Settings
    singles: list[Single]
