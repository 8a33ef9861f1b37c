"""What one shape of record gives: rows whose varying parts are places in the text.

Two records of one shape differ in their digits alone, and no pattern tells one digit from another. So a record is
understood once for its whole shape, and its template is filled for all others. Where the digits themselves decide (the
`1` of `top1`), the template says so in `looked_at`, and holds for records that have the same digits there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postmortem.parsing.pattern import typed

if TYPE_CHECKING:
    from postmortem.parsing.cells import Cell
    from postmortem.parsing.dialects import CompiledBlock, CompiledLine
    from postmortem.parsing.pattern import FieldValue
    from postmortem.parsing.reading import Where


class Span(NamedTuple):
    """Bytes of a record, from `start` to before `end`, and the type of field they hold."""

    start: int
    end: int
    type: str = "text"

    def text(self, record: bytes) -> str:
        """What is printed there; bytes that are no UTF-8 as U+FFFD."""
        return record[self.start : self.end].decode("utf-8", "replace")

    def read(self, record: bytes) -> FieldValue:
        """The value that is printed there."""
        return typed(self.type, self.text(record))


class Placing(NamedTuple):
    """Where rows of a record belong: what the record itself says of it. What it does not say is carried."""

    dialect: str | None = None
    step: Span | None = None
    step_unit: str | None = None
    epoch: Span | None = None
    rank: Span | None = None
    ts: Span | None = None
    job: Span | None = None
    total: Span | None = None  # of a bar: how far its step goes


class Row(NamedTuple):
    """A row of `frame`: constants of the shape, and spans. `place` counts in the template's places."""

    frame: str
    place: int
    constants: tuple[tuple[str, object], ...]
    spans: tuple[tuple[str, Span], ...]
    placeholders: tuple[float, ...] = ()


class Tabled(NamedTuple):
    """A cell of a table's row: where in the record's body it stands, and the numbers there, or what it is called."""

    at: Where
    spans: tuple[Span, ...]
    label: Span | None = None


class Template(NamedTuple):
    """All that the records of one shape give."""

    read: bool = False  # somebody understood it
    blank: bool = False
    cut: bool = False  # only its beginning was read
    places: tuple[Placing, ...] = ()
    rows: tuple[Row, ...] = ()
    carry: int | None = None  # the place that the records after it take
    block: CompiledBlock | None = None
    columns: tuple[Cell, ...] = ()  # of the heading of a table
    cells: tuple[Tabled, ...] = ()  # of what is a row, if a heading stands above it
    tabled_by: CompiledLine | None = None  # the line of a dialect that has such cells beside its own fields
    split: str | None = None  # that it names for the lines below it
    used: tuple[str, ...] = ()  # dialects, once for each of their lines
    patterns: tuple[str, ...] = ()  # what read it, for people
    looked_at: tuple[int, ...] = ()  # bytes whose digits decided

    @property
    def names_job(self) -> bool:
        """True for a heading that says of which job the lines after it are."""
        return self.carry is not None and self.places[self.carry].job is not None
