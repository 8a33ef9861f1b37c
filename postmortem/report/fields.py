"""How a log was understood, for a terminal and as JSON. Text of the log is masked, and made harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from postmortem import __version__
from postmortem.parsing.understanding import TEXT
from postmortem.report.escape import visible
from postmortem.report.mask import scrub
from postmortem.report.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.parsing.understanding import Name, Stated, Understanding

SCHEMA_VERSION: Final = "1.0"
#: Rows of a table that fit a screen.
_ROWS: Final = 20
_COURSE: Final = ("line", "first", "last")
#: Characters of a cell, and of a line that is no table's.
_CELL: Final = 36
_LINE: Final = 110
#: Who knows a name.
_KNOWERS: Final = {"names": "names.yaml", "dialect": "its dialect", None: "nobody: kept"}


def as_json(understandings: Sequence[Understanding], unread: int) -> str:
    """The understandings as JSON, ASCII alone, each with its `unread` commonest kinds of unread lines."""
    logs = []
    for one in understandings:
        log = scrub(one).model_dump()
        log |= {"unread": log["unread"][:unread], "unread_kinds": len(one.unread)}
        logs.append(log)
    found = {"schema_version": SCHEMA_VERSION, "tool_version": __version__, "logs": logs}
    return json.dumps(found, indent=2, allow_nan=False)


def page(understanding: Understanding, *, unread: int, everything: bool = False) -> Iterator[str]:
    """The lines of a page: what read the log, each name, each setting, and `unread` kinds of lines nobody read.

    Tables are cut to what a screen holds unless `everything` is asked for; what is left out is counted.
    """
    shown = _Page(scrub(understanding), None if everything else _ROWS)
    yield from shown.head()
    yield from shown.readers()
    yield from shown.names()
    yield from shown.settings()
    yield from shown.events()
    yield from shown.left_out()
    yield from shown.unread(unread)


class _Page:
    def __init__(self, understanding: Understanding, rows: int | None) -> None:
        self.log, self.rows = understanding, rows

    def head(self) -> Iterator[str]:
        log = self.log
        counts = [f"{log.lines:,} lines: {log.read_lines:,} read", f"{log.unread_lines:,} unread"]
        if log.unread_lines:
            counts[-1] += f" ({log.unread_share:.1%})"
        if log.blank_lines is not None:
            counts.append(f"{log.blank_lines:,} blank")
        if log.cut_lines:
            counts.append(f"{log.cut_lines:,} cut: too long to be read to the end")
        if log.truncated:
            counts.append("the last one has no end")
        if log.stopped:
            counts.append(f"stopped: {log.stopped}")
        by = "" if log.reader == TEXT else f"   read by the reader {log.reader}"
        yield visible(f"{log.path}{by}   {', '.join(counts)}")

    def readers(self) -> Iterator[str]:
        log = self.log
        if log.read_by:
            yield from ("", "Read by")
        for one in log.read_by[: self.rows]:
            pattern = "any key=value, key: value, range or counter" if one.pattern is None else one.pattern
            yield visible(f"  {one.dialect}  {one.records:,}  {pattern}", _LINE)
            yield visible(f"    line {one.line}  {one.example}", _LINE)
        yield from self._more(len(log.read_by), "patterns")
        if log.block_records:
            yield f"  and {log.block_records:,} as part of the block that an earlier line began"

    def names(self) -> Iterator[str]:
        heading = ("printed", "name", "known by", "split", "meaning", "step", "dialect", "values", *_COURSE)
        for frame in dict.fromkeys(one.frame for one in self.log.names):
            rows = [
                (
                    one.source_name,
                    one.name,
                    # a tensor's name and a job's column are what they are
                    _KNOWERS[one.known_by] if frame == "metrics" else "",
                    one.split or "",
                    one.meaning or "",
                    one.step_unit or "",
                    one.dialect or "",
                    f"{one.values:,}",
                    *_course(one),
                )
                for one in self.log.names
                if one.frame == frame
            ]
            yield from self._table(frame.capitalize(), heading, rows, "names")
            if any(row[2] == _KNOWERS[None] for row in rows):
                yield "  nobody: kept under its own name; `names:` of a dialect can say what it is"

    def settings(self) -> Iterator[str]:
        heading = ("printed", "key", "known by", "dialect", "times", *_COURSE)
        rows = [
            (
                one.source_name,
                one.key,
                _KNOWERS[one.known_by],
                one.dialect or "",
                f"{one.values:,}",
                *_course(one),
            )
            for one in self.log.settings
        ]
        yield from self._table("Settings", heading, rows, "settings")

    def events(self) -> Iterator[str]:
        heading = ("kind", "severity", "dialect", "events", "line", "first")
        rows = [
            (one.kind, one.severity or "", one.dialect or "", f"{one.events:,}", str(one.line), one.first or "")
            for one in self.log.events
        ]
        yield from self._table("Events", heading, rows, "kinds")

    def left_out(self) -> Iterator[str]:
        rows = [(f"{count:,}", what) for what, count in self.log.left_out.items()]
        yield from self._table("Left out: it was understood, and no frame has a place for it", None, rows, "kinds")

    def unread(self, most: int) -> Iterator[str]:
        log = self.log
        if not log.unread:
            return
        yield from ("", "Unread, numbers as 0; of a progress bar each state counts")
        for one in log.unread[:most]:
            yield visible(f"  {one.records:,}  {one.shape}", _LINE)
            yield visible(f"    line {one.line}  {one.example}", _LINE)
        if hidden := log.unread[most:]:
            records = sum(one.records for one in hidden)
            yield f"  ... {len(hidden):,} kinds more, {records:,} records; --unread N shows N kinds"
        yield from (
            "",
            "A dialect can read them; to begin one for the commonest: postmortem fields LOG --skeleton > mine.yaml",
        )

    def _table(
        self, title: str, heading: tuple[str, ...] | None, rows: Sequence[tuple[str, ...]], what: str
    ) -> Iterator[str]:
        if not rows:
            return
        yield from ("", title)
        # a column that holds nothing says nothing
        shown = [*([heading] if heading else []), *rows[: self.rows]]
        held = [i for i in range(len(rows[0])) if any(row[i] for row in rows[: self.rows])]
        for line in table([[row[i] for i in held] for row in shown], _CELL):
            yield f"  {line}"
        yield from self._more(len(rows), what)

    def _more(self, rows: int, what: str) -> Iterator[str]:
        if self.rows is not None and rows > self.rows:
            yield f"  ... {rows - self.rows:,} {what} more; --all shows them"


def _course(one: Name | Stated) -> tuple[str, str, str]:
    """Line and text of the first value, and the text of the last one of several."""
    return str(one.line), one.first or "", (one.last or "") if one.values > 1 else ""
