"""The templates of all shapes of a log, as tables of numbers, so that thousands of records are filled at once."""

from __future__ import annotations

from enum import IntEnum
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

from postmortem.parsing.kindred import Kindred
from postmortem.parsing.names import normalise
from postmortem.parsing.shapes import MASK
from postmortem.parsing.sift import Trait
from postmortem.parsing.template import Template

if TYPE_CHECKING:
    from collections.abc import Hashable

    from postmortem.parsing.arrays import Bytes, Ints
    from postmortem.parsing.interpret import Interpreter
    from postmortem.parsing.template import Placing, Row, Span

#: A record of a block that has been read with the block.
TAKEN: Final = 0
#: A record that is understood by itself, and of which nothing is remembered.
ALONE: Final = -1
#: Columns of `tensors` that are numbers; and those that are text.
STATISTICS: Final = ("min", "max", "mean", "std", "rms", "norm", "numel")
LABELS: Final = ("scope", "name", "shape", "status")
PRINTED: Final = ("min", "max")
#: Fields of a place: whole numbers, a number, texts.
PLACED: Final = ("step", "epoch", "rank", "ts", "job")
#: Of a shape whose digits decide, so many ways are remembered; further ones are read record by record.
MOST_VARIANTS: Final = 256
MOST_TEMPLATES: Final = 300_000


class Table:
    """Rows of whole numbers that only grow in number. Kept by column: few columns are asked for many rows."""

    def __init__(self, width: int) -> None:
        self._data = np.empty((width, 1024), np.int32)
        self._size = 0

    def add(self, rows: list[list[int]]) -> int:
        """Append `rows`; where they begin."""
        first, size = self._size, self._size + len(rows)
        if size > self._data.shape[1]:
            room = np.empty((len(self._data), max(size, self._data.shape[1])), np.int32)
            self._data = np.concatenate((self._data, room), axis=1)
        for place, row in enumerate(rows, first):  # mostly one: an array of them takes longer to make
            self._data[:, place] = row
        self._size = size
        return first

    def column(self, index: int) -> Ints:
        """One column, all rows."""
        return self._data[index, : self._size]

    def all(self) -> list[Ints]:
        """All columns."""
        return list(self._data[:, : self._size])

    def take(self, rows: Ints) -> list[Ints]:
        """All columns of these rows."""
        data = self._data
        return [column.take(rows) for column in data]


class Constants:
    """Tuples that many rows share, by number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.all: list[tuple[object, ...]] = []

    def number(self, constants: tuple[object, ...]) -> int:
        """The number of these constants."""
        found = self._numbers.setdefault(constants, len(self.all))
        if found == len(self.all):
            self.all.append(constants)
        return found


class Fact(IntEnum):
    """Columns of the table of templates."""

    TRAITS = 0  # what is true of its records, see `sift.Trait`
    STEP = 1  # that it gives to the records after it: at these bytes
    STEP_LENGTH = 2
    STEP_UNIT = 3
    EPOCH = 4
    EPOCH_LENGTH = 5
    TOTAL = 6  # of a bar
    TOTAL_LENGTH = 7
    PLACES = 8  # of its rows; where they begin, and how many
    METRICS = 10
    TENSORS = 12
    SETTINGS = 14


_FACTS: Final = Fact.SETTINGS + 2


class Templates:
    """Finds a record's template by its shape, and makes it where there is none yet. Threads may share one."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.all: list[Template] = []
        self.examples: list[bytes] = []
        self.facts, self.places = Table(_FACTS), Table(1 + 2 * len(PLACED))
        self.metrics = Table(5)
        self.tensors = Table(2 + 2 * len(STATISTICS + LABELS))
        self.settings = Table(6)
        self.place_constants, self.metric_constants, self.tensor_constants = Constants(), Constants(), Constants()
        self.setting_constants, self.units = Constants(), Constants()
        self.unit(None)
        self._by_shape: dict[bytes, int] = {}
        self._kindred = Kindred()
        self._variants: dict[tuple[int, bytes], int] = {}
        self._counts: dict[int, int] = {}
        #: Which templates the reader of the log has met a record of, in the log's order.
        self.told = np.zeros(MOST_TEMPLATES + 1, np.bool_)
        self._lock = Lock()
        self._add(Template(read=True), b"")

    def of_shape(self, record: bytes) -> int:
        """The template of the shape of `record`. Where its digits decide, `variant` has the last word."""
        shape = record.translate(MASK)
        with self._lock:
            found = self._by_shape.get(shape)
            if found is None:
                found = self._by_shape[shape] = ALONE if len(self.all) >= MOST_TEMPLATES else self._make(record)
            return found

    def variant(self, template: int, record: bytes) -> int:
        """The template of `record`, which is of the shape of `template`, a shape in which digits decide.

        ALONE where no few digits tell which records are alike.
        """
        looked_at = self.all[template].looked_at
        key = (template, bytes(record[byte] for byte in looked_at))
        with self._lock:
            found = self._variants.get(key)
            if found is None:
                made = self.interpreter.template(record)
                self._counts[template] = count = self._counts.get(template, 0) + 1
                alike = made.looked_at == looked_at and count <= MOST_VARIANTS and len(self.all) < MOST_TEMPLATES
                found = self._add(made, record) if alike else ALONE
                if count <= MOST_VARIANTS:
                    self._variants[key] = found
            return found

    def _make(self, record: bytes) -> int:
        found = self._kindred.find(record)
        if isinstance(found, int):
            return found
        template = found or self.interpreter.template(record)
        made = self._add(template, record, variants=bool(template.looked_at))
        if found is None:
            self._kindred.add(record, template, made)
        if template.looked_at:
            self._variants[made, bytes(record[byte] for byte in template.looked_at)] = made
        return made

    def _add(self, template: Template, record: bytes, *, variants: bool = False) -> int:
        fast = [] if template.block else [row for row in template.rows if plain(row)]
        tables = {
            Fact.METRICS: (self.metrics, [self._metric_row(row) for row in fast if row.frame == "metrics"]),
            Fact.TENSORS: (self.tensors, [self._tensor_row(row) for row in fast if row.frame == "tensors"]),
            Fact.SETTINGS: (self.settings, [self._setting_row(row) for row in fast if row.frame == "settings"]),
            Fact.PLACES: (self.places, [self._place_row(place) for place in template.places] if fast else []),
        }
        facts = [0] * _FACTS
        slow = template.block is not None or len(template.rows) > len(fast) or template.names_job
        slow = slow or bool(template.columns or template.cells or template.split)
        placed = bool(tables[Fact.PLACES][1])
        own = Trait.SLOW * slow | Trait.VARIANTS * variants | Trait.PLACED * placed
        facts[Fact.TRAITS] = int(made_traits(template) | own)
        if template.carry is not None:
            carried = template.places[template.carry]
            facts[Fact.STEP], facts[Fact.STEP_LENGTH] = _where(carried.step)
            facts[Fact.STEP_UNIT] = self.unit(carried.step_unit)
            facts[Fact.EPOCH], facts[Fact.EPOCH_LENGTH] = _where(carried.epoch)
            facts[Fact.TOTAL], facts[Fact.TOTAL_LENGTH] = _where(carried.total)
        for fact, (table, rows) in tables.items():
            facts[fact], facts[fact + 1] = table.add(rows), len(rows)
        self.facts.add([facts])
        self.all.append(template)
        self.examples.append(record)
        return len(self.all) - 1

    def traits(self) -> Bytes:
        """What is true of the records of each template; the last one is ALONE's, -1."""
        return np.append(self.facts.column(Fact.TRAITS).astype(np.uint8), Trait.ALONE)

    def unit(self, name: str | None) -> int:
        """The number of a step's unit; 0 for none."""
        return self.units.number((name,))

    def _place_row(self, place: Placing) -> list[int]:
        spans = (place.step, place.epoch, place.rank, place.ts, place.job)
        constants = self.place_constants.number((place.dialect, self.unit(place.step_unit)))
        return [constants, *(number for span in spans for number in _where(span))]

    def _metric_row(self, row: Row) -> list[int]:
        constants = (*(value for _, value in row.constants), row.placeholders)
        span = row.spans[0][1]
        return [row.place, self.metric_constants.number(constants), *_where(span), span.type == "percent"]

    def _tensor_row(self, row: Row) -> list[int]:
        spans = dict(row.spans)
        where = [number for name in STATISTICS + LABELS for number in _where(spans.get(name))]
        return [row.place, self.tensor_constants.number(row.constants), *where]

    def _setting_row(self, row: Row) -> list[int]:
        spans, key = dict(row.spans), row.constants[0][1]
        constants = (self.interpreter.names.setting(str(key)) or normalise(str(key)), row.constants[1][1], key)
        where = (*_where(spans["value"]), *_where(spans.get("number")))
        return [row.place, self.setting_constants.number(constants), *where]


def made_traits(template: Template) -> np.uint8:
    """What its template says of a record."""
    return (
        Trait.READ * template.read
        | Trait.BLANK * template.blank
        | Trait.CUT * template.cut
        | Trait.CARRIES * (template.carry is not None)
    )


def plain(row: Row) -> bool:
    """A row that is filled with thousands of its kind: a metric, a setting, a tensor of numbers and names."""
    if row.frame != "tensors":
        # a share of 1 is read from a percentage in metrics alone
        return row.frame == "metrics" or (
            row.frame == "settings" and all(span.type != "percent" for name, span in row.spans if name == "number")
        )
    return all(
        (name in STATISTICS and span.type in {"num", "int"})
        or (name in LABELS and span.type not in {"percent", "bool"})
        for name, span in row.spans
    )


def _where(span: Span | None) -> tuple[int, int]:
    return (0, -1) if span is None else (span.start, span.end - span.start)
