"""Tables of any columns: csv, tsv, `;` or `|` between them, a heading first. An empty cell is no value, never 0."""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers._lines import Line, Lines, last_texts, texts
from postmortem.readers._records import MOST_NAMES, Records, as_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

    #: The line that it begins on, its cells, its lines.
    Row = tuple[Line, list[str], int]

GENERAL: Final = True
_SUFFIXES: Final = frozenset({".csv", ".tsv"})
_DELIMITERS: Final = ",\t;|"
#: Words that tools write where they have no value.
_NOTHING: Final = frozenset({"", "none", "null", "na", "n/a", "-"})
#: What a cell of a table is not: `Total gradient norm: 5` of a line that goes on with `,853.5`.
_ASSIGNED: Final = re.compile(r"[A-Za-z_)]\s*[:=]\s*[-+]?[0-9]")
#: TensorBoard's download of one curve, whose tag stands in the file's name: `run-train-tag-loss_val.csv`.
_EXPORTED: Final = ["wall time", "step", "value"]
_OF_TAG: Final = re.compile(r"(?:^|-)tag-(?P<tag>.+)$")
#: Rows that are looked at first, for how wide they are.
_PEEKED: Final = 3
#: Lines that one row may run over, by line ends inside quotes: more are a quote that nobody closed.
_LONGEST_ROW: Final = 100


def reads(path: Path, head: bytes) -> bool:
    """Rows of one width under a heading of words; a file called csv or tsv is asked no more than that it is text."""
    if b"\x00" in head or head.lstrip()[:1] in {b"{", b"["}:
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    heading, *rows = _with_heading(texts(head)) or [""]
    if not rows or not (delimiter := _delimiter(heading)):
        return False
    names = _cells(heading, delimiter)
    width = _width({len(_cells(row, delimiter)) for row in rows if _is_content(row)}, len(names))
    return (
        _is_heading(names) and _is_table(rows, delimiter, width) and _is_table(last_texts(path)[1:], delimiter, width)
    )


def read(path: Path, rows: Rows) -> FileInfo:
    """Every row a record. Rows of another width than the heading are unread. PostmortemError without a heading."""
    lines = Lines(path)
    records = Records(rows)
    table = _rows(lines, path)
    heading = _headed(next(table)[1], path)
    table, nameless = _peeked(table, len(heading))
    heading = heading[: len(heading) - nameless]
    # the index of a data frame counts its rows, where no other column counts
    indexed = not heading[0] and all(rows.names.counter(name) is None for name in heading[1:])
    unread = 0
    columns: set[str] = set()
    for line, row, height in table:
        if len(row) == len(heading) + 1 and not row[-1].strip():
            row.pop()  # a delimiter behind the last column
        if row == heading or [cell.strip() for cell in row] == heading:
            continue  # the run was resumed: the heading again
        if not row or len(row) != len(heading):
            unread += height
            continue
        place = Place(str(path), line=line.number, offset=line.offset, dialect="delimited")
        if beyond := sum(bool(cell.strip()) for cell in row[MOST_NAMES:]):
            records.left_out[f"cells of columns beyond the first {MOST_NAMES:,}"] += beyond
        cells = {name: cell.strip() for name, cell in zip(heading, row[:MOST_NAMES], strict=False)}
        record: dict[str, object] = {
            name: cell for name, cell in cells.items() if name and cell.lower() not in _NOTHING
        }
        if indexed and row[0].strip().isdecimal():
            record["step"] = row[0].strip()
        columns |= {name for name in record if name not in columns and as_number(record[name]) is None}
        records.put(place, record)
    info = lines.info("delimited")
    info.unread_lines, info.left_out = unread, records.left_out
    if nameless:
        info.left_out["columns without values"] = nameless
    if columns:
        info.left_out["columns with words"] = len(columns)
    info.dialects = [name for name, _ in records.used.most_common()]
    return info


def _headed(cells: list[str], path: Path) -> list[str]:
    """The names of the columns, each another one. A single curve's is that of its file, or of the tag in it."""
    heading = [name.strip().strip("'") for name in cells]
    if [name.lower() for name in heading] == _EXPORTED:
        found = _OF_TAG.search(path.stem)
        heading[-1] = found["tag"] if found else path.stem
    taken: Counter[str] = Counter()
    for index, name in enumerate(heading):
        taken[name] += 1
        heading[index] = f"{name}.{taken[name]}" if taken[name] > 1 else name
    return heading


def _width(widths: set[int], names: int) -> int:
    """How many cells rows have: as many as are named, or all of them fewer: a program wrote less than it named."""
    fewest = min(widths, default=names)
    return fewest if len(widths) == 1 and names > fewest > names / 2 else names


def _peeked(table: Iterator[Row], names: int) -> tuple[Iterator[Row], int]:
    """The rows of a table, and how many of its last columns none of the first rows reaches."""
    first = list(islice(table, _PEEKED))
    nameless = names - _width({len(row) for _, row, _ in first}, names)
    return chain(first, table), nameless if len(first) == _PEEKED else 0


def _rows(lines: Lines, path: Path) -> Iterator[Row]:
    """The heading, then each row: the line that it begins on, its cells (none where it is broken), its lines."""
    taken: list[Line] = []
    comment: Line | None = None

    def texts() -> Iterator[str]:
        nonlocal comment
        for line in lines:
            if taken or _is_content(line.text):
                taken.append(line)
                yield "" if line.cut else line.text + "\n"
            elif line.text.strip():
                comment = line

    source = texts()
    first = next(source, "")
    above = _commented(comment.text, first) if comment else ""
    source, first = (chain([first], source), above) if above else (source, first)
    delimiter = _delimiter(first)
    heading = _cells(first, delimiter) if delimiter else [first]
    if not _is_heading(heading):
        raise PostmortemError(f"{path}: a table without a heading: its first line must name the columns")
    yield comment if above and comment else taken[0], heading, 1
    if not above:
        taken.clear()
    yield from _parsed(csv.reader(source, delimiter=delimiter or ","), taken, delimiter or ",")


def _parsed(table: Iterator[list[str]], taken: list[Line], delimiter: str) -> Iterator[Row]:
    """Each row below the heading, with the lines that were taken for it."""
    while True:
        try:
            row = next(table, None)
        except csv.Error:
            row = []
        if row is None:
            return
        if row and len(taken) <= _LONGEST_ROW:
            yield taken[0], row, len(taken)
        else:  # a quote that nobody closed: each line for itself
            yield from ((line, _cells(line.text, delimiter), 1) for line in taken)
        taken.clear()


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_table(lines: list[str], delimiter: str, width: int) -> bool:
    """True where all lines have this many cells, and more than half of what they hold are numbers."""
    rows = [_cells(line, delimiter) for line in lines if _is_content(line)]
    numbers = sum(as_number(cell) is not None for row in rows for cell in row)
    cells = sum(cell.strip().lower() not in _NOTHING for row in rows for cell in row)
    if any(_ASSIGNED.search(cell) for row in rows for cell in row):
        return False
    return all(len(row) == width for row in rows) and numbers * 2 >= cells


def _delimiter(heading: str) -> str:
    """The delimiter that makes the most columns; none where there is none."""
    best = max(_DELIMITERS, key=heading.count)
    return best if best in heading else ""


def _with_heading(lines: list[str]) -> list[str]:
    """The lines that are no comment, with the heading that stands in one above the first of them."""
    first = next((index for index, line in enumerate(lines) if _is_content(line)), 0)
    heading = _commented(lines[first - 1], lines[first]) if first else ""
    return [heading] * bool(heading) + [line for line in lines[first:] if _is_content(line)]


def _commented(comment: str, row: str) -> str:
    """The heading of a table that is in a comment, as numpy.savetxt writes it: as many names as the row has numbers."""
    heading = comment.strip().lstrip("# ")
    delimiter = _delimiter(row)
    names, values = _cells(heading, delimiter or ","), _cells(row, delimiter or ",")
    numbers = all(as_number(value) is not None for value in values)
    return heading if delimiter and numbers and len(names) == len(values) and _is_heading(names) else ""


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_heading(cells: list[str]) -> bool:
    """Words: where half of the cells or more are numbers it is a row of values."""
    names = [cell.strip() for cell in cells]
    return any(names) and sum(as_number(name) is not None for name in names) * 2 < len(names)
