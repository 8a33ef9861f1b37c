"""Pieces of a log in order, made one run: line numbers, steps carried from line to line, rows filled one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postmortem.parsing.carried import Carried
from postmortem.parsing.configured import configured
from postmortem.parsing.framing import Framing
from postmortem.parsing.places import number_of, placed_by
from postmortem.parsing.planned import Plan, plan_of, planned
from postmortem.parsing.reports import placed
from postmortem.parsing.rows import Place, Rows
from postmortem.parsing.sections import with_optimizer_eps
from postmortem.parsing.seen import Seen
from postmortem.parsing.stated import stated
from postmortem.parsing.store import Store
from postmortem.parsing.tabled import TableRows
from postmortem.parsing.told import told
from postmortem.parsing.whole import by_the_whole_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from postmortem.parsing.arrays import Ints, Values
    from postmortem.parsing.blocks import OpenBlock
    from postmortem.parsing.piece import Piece, Single
    from postmortem.parsing.template import Row, Template
    from postmortem.parsing.templates import Templates


@dataclass(slots=True)
class Collector:
    """Takes the pieces of one file in order."""

    file: str
    job: str | None
    rank: int | None
    templates: Templates
    rows: Rows
    store: Store = field(init=False)
    lines: int = 0
    size: int = 0  # in bytes
    unread: int = 0
    blank: int = 0
    cut: int = 0
    seen: Seen = field(default_factory=Seen)  # kinds of records: what read them, and how many there are
    used: Counter[str] = field(default_factory=Counter)  # lines that each dialect read
    line_index: list[tuple[int, int]] = field(default_factory=list)  # first line and byte of each piece
    _carried: Carried = field(default_factory=Carried)
    _block: tuple[Row, Place, OpenBlock, bytes] | None = None
    _table: TableRows = field(init=False)
    _splits: list[tuple[int, str]] = field(default_factory=list)  # lines that name one for those below them
    _plan: Plan | None = None  # of the first record that counts epochs up to some number
    _heads: bool = False  # the last record that is not blank is a heading
    _cut_line: bool = False  # the last line was read in part
    _blank_lines: list[Ints] = field(default_factory=list)  # their numbers, piece by piece
    _line_goes_on: tuple[int, bool] | None = None  # the last line was cut: where it begins, and whether it is unread

    def __post_init__(self) -> None:
        self.store = Store(self.file, self.job, self.rank, self.templates)
        self._table = TableRows(self.rows)

    @property
    def open_block(self) -> OpenBlock | None:
        """A block that the next piece's first records may still fill."""
        return self._block[2] if self._block else None

    def add(self, piece: Piece, size: int, *, goes_on: bool = False) -> None:
        """The next piece, of `size` bytes. `goes_on`: its last line is continued by the next one."""
        if self._block:
            self._end_block()
        line_start = piece.line_start + self.size
        first_line = self.lines + 1
        if self._line_goes_on is not None:
            first_line -= 1
            line_start[0] = self._line_goes_on[0]
        self.line_index.append((first_line, int(line_start[0])))
        unread = self._count(piece, first_line, goes_on=goes_on)
        carried = self._carry(piece)
        self._fill(piece, carried, first_line, line_start)
        self.store.add(piece, carried, first_line, line_start)
        self.lines = first_line + len(piece.line_start) - 1
        self.size += size
        self._line_goes_on = (int(line_start[-1]), unread) if goes_on else None
        self._carried = carried.last()

    def finish(self) -> None:
        """No piece follows."""
        if self._block:
            self._end_block(last=True)
        for kind in self.seen.kinds:
            for dialect in kind.template.used:
                self.used[dialect] += kind.records
            self.used.update({"generic": kind.tabled} if kind.tabled else {})

    @property
    def tells(self) -> bool:
        """True where something was found that only a run's log says: settings alone may be any file's.

        A log that counts its epochs, `Epoch 1/100`, is one, though it may have ended before anything was measured.
        """
        found = (
            self._plan
            or self.store.metrics
            or self.store.tensors
            or self.rows.any("metrics", "tensors", "events", "jobs")
        )
        return bool(found) or not told(self._values()[0], self.rows.names).is_empty()

    def frames(self) -> dict[str, Callable[[], pl.DataFrame]]:
        """How to make each of the five frames."""
        single, values = self.rows.frames(), cache(self._values)
        return {
            "metrics": lambda: _both(values()[1], told(values()[0], self.rows.names)),
            "tensors": lambda: _both(Framing(self.store).tensors(), single["tensors"]),
            "events": lambda: single["events"],
            "settings": lambda: planned(with_optimizer_eps(values()[0]), self._plan, self.file),
            "jobs": lambda: single["jobs"],
        }

    def _values(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Settings and metrics, as the lines around them say which is which, and of what step."""
        single, framing, names = self.rows.frames(), Framing(self.store), self.rows.names
        settings, metrics = _both(framing.settings(), single["settings"]), _both(framing.metrics(), single["metrics"])
        metrics = by_the_whole_log(metrics, self._splits)
        blank = pl.Series(np.concatenate([np.empty(0, np.int64), *self._blank_lines]))
        reporting = self.templates.interpreter.dialects.reporting
        return stated(*placed(*configured(settings, metrics, names), blank, names, reporting), names)

    def _count(self, piece: Piece, first_line: int, *, goes_on: bool) -> bool:
        """Count lines; whether the last one is unread, as one in several pieces is if it is so in all of them."""
        cut = set(piece.cut.tolist())
        self.cut += len(cut) - (self._line_goes_on is not None and self._cut_line and 0 in cut)
        self._cut_line = len(piece.line_start) - 1 in cut
        self.blank += int(np.count_nonzero(piece.blank[self._line_goes_on is not None : len(piece.blank) - goes_on]))
        self._blank_lines.append(np.flatnonzero(piece.blank) + first_line)
        for number, (line, state, text) in piece.first.items():
            self.seen.meet(number, self.templates.all[number], first_line + line, state, text)
            self._note_plan(self.templates.all[number], text, (first_line + line, state))
        self.templates.told[piece.used] = True
        for number, records in zip(piece.used.tolist(), piece.counts.tolist(), strict=True):
            self.seen.count(number, records)
        for single in piece.singles:
            if single.whole:
                self.seen.add_alone(single.template, first_line + single.line, single.state, single.text)
                self._note_plan(single.template, single.text, (first_line + single.line, single.state))
        ends = set(piece.unread[[0, -1]].tolist()) if len(piece.unread) else set()
        self.unread += len(piece.unread)
        if self._line_goes_on is not None:
            was_unread, is_unread = self._line_goes_on[1], 0 in ends
            self.unread -= was_unread or is_unread
            if not was_unread:
                ends.discard(0)
        return goes_on and len(piece.line_start) - 1 in ends

    def _note_plan(self, template: Template, record: bytes, place: tuple[int, int]) -> None:
        if self._plan is None or place < self._plan.place:
            self._plan = plan_of(template, record, place) or self._plan

    def _carry(self, piece: Piece) -> Carried:
        carries, carried = piece.carries, self._carried
        # blank lines right below a heading that the end of the last piece cut off from them
        clearing = piece.clearing[piece.clearing >= piece.first_spoken] if self._heads else piece.clearing
        self._heads = self._heads if piece.last_heads is None else piece.last_heads
        said = [self._said(single) for single in piece.singles if single.whole and single.template.carry is not None]
        stepped = [(record, step, unit) for record, step, unit, _ in said if step is not None]
        begun = [(record, epoch) for record, _, _, epoch in said if epoch is not None]
        return Carried(
            step=carried.step.then(
                np.concatenate((carries.step.at, _column(stepped, 0))),
                np.concatenate((carries.step.values, _column(stepped, 1))),
                np.concatenate((carries.unit, _column(stepped, 2))),
                clearing,
            ),
            epoch=carried.epoch.then(
                np.concatenate((carries.epoch.at, _column(begun, 0))),
                np.concatenate((carries.epoch.values, _column(begun, 1))),
                np.zeros(len(carries.epoch.at) + len(begun), np.int64),
                clearing,
            ),
        )

    def _said(self, single: Single) -> tuple[int, float | None, int, float | None]:
        """What a record that was understood by itself says to those after it."""
        placing = single.template.places[single.template.carry or 0]
        step = number_of(placing.step, single.text)
        return single.record, step, self.templates.unit(placing.step_unit), number_of(placing.epoch, single.text)

    def _fill(self, piece: Piece, carried: Carried, first_line: int, line_start: Ints) -> None:
        unread = set(piece.unread.tolist()) if any(single.template.cells for single in piece.singles) else set()
        for single in piece.singles:
            if single.template.cells and not (self._table.columns or single.template.rows):
                continue  # numbers below no heading: there may be millions
            step, unit, epoch = carried.at(single.record, self.templates.units.all)
            base = Place(
                file=self.file,
                job=self.job,
                line=single.line + first_line,
                record=single.state,
                offset=int(line_start[single.line]),
                rank=self.rank,
                step=step,
                step_unit=unit,
                epoch=epoch,
            )
            if single.template.names_job:
                self.job = base.job = placed_by(
                    base, single.template.places[single.template.carry or 0], single.text
                ).job
                self.store.jobs.append((base.line, base.record, self.job))
            if single.template.split:
                self._splits.append((base.line, single.template.split))
            headed = self._table.head(single.template.columns)
            if not headed and self._table.may_hold(single.template.cells) and self._table.fill(single, base):
                # its line counted as unread, unless another record on it was read
                self.unread -= single.line in unread
                if not single.whole:
                    self.seen.tabled(single.number)
            for row in single.rows:
                place = placed_by(base, single.template.places[row.place], single.text)
                if single.block and not single.block.ended:
                    self._block = (row, place, single.block, single.text)
                else:
                    self.rows.fill(place, row, single.text, single.block)

    def _end_block(self, *, last: bool = False) -> None:
        assert self._block is not None  # noqa: S101 - asked by both callers
        row, place, block, text = self._block
        if block.ended or last:
            self.rows.fill(place, row, text, block)
            self._block = None


def _both(many: pl.DataFrame, single: pl.DataFrame) -> pl.DataFrame:
    """The rows that were filled at once and those filled one by one, in the log's order."""
    if single.is_empty() or many.is_empty():
        return many if single.is_empty() else single
    return pl.concat([many, single]).sort("line", "record", maintain_order=True)


def _column(rows: Sequence[tuple[float, ...]], index: int) -> Values:
    return np.array([row[index] for row in rows], np.float64)
