"""Columns of numbers and nothing else, as `numpy.savetxt` and `print(epoch, loss, file=f)` leave them: `loss.txt`.

MLflow keeps each metric in a file of its name: when it was written, its value, and its step.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.names import load, normalise
from postmortem.parsing.rows import Place
from postmortem.readers._lines import Lines, last_texts, texts
from postmortem.readers._records import Records, as_number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = True
_BETWEEN: Final = re.compile(r"\s*[,;]\s*|\s+")
#: Around a weight of one number, as NumPy prints it: `100 2.5 [0.75] [-0.25]`.
_BRACKETS: Final = str.maketrans("[]", "  ")
#: Numbers may be anything: it is the file's name that says they are of a training.
_NAMED: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:log|loss|losses|err|errors?|acc|accuracy|train|training|val|valid|validation|history|curve|metrics?|"
    r"scores?|rewards?|returns?|perplexity|ppl|f1|auc|iou|dice|mse|mae|rmse|cost)(?:[^a-z]|$)"
)
#: Of tables, and of what a scheduler writes of a job: these are of a run, whatever it is called.
_SUFFIXES: Final = frozenset({".csv", ".tsv", ".out"})
#: Words of a file's name beside that of what it holds: `train_loss_log.txt`.
_BESIDE: Final = frozenset({
    "log", "logs", "history", "hist", "curve", "values", "list", "data", "all", "out", "output", "file", "epoch", "per",
    "txt", "dat", "csv",
})  # fmt: skip
#: Fewer rows are no curve; more columns are a matrix.
_FEWEST: Final = 5
_MOST_COLUMNS: Final = 12
#: What MLflow writes of a metric, row by row.
_TRACKED: Final = ("timestamp", "value", "step")
_MILLISECONDS: Final = re.compile(r"1[0-9]{12}")
#: Of the rows that are looked at, that are of one width.
_MOSTLY: Final = 0.7


def reads(path: Path, head: bytes) -> bool:
    """Rows that hold numbers alone, some of them fractions, in a file that is called as a log may be.

    Nearly all are of one width: what is printed at the end may be single numbers. A table without a heading, and
    the output of a job, are told by their suffix.
    """
    if b"\x00" in head or not (_NAMED.search(path.name) or path.suffix.lower() in _SUFFIXES):
        return False
    lines = texts(head)
    comments = list(itertools.takewhile(_is_comment, lines))
    first = [_cells(line) for line in lines if not _is_comment(line)]
    # a list of Python's in brackets is read as one among other lines
    first = first if len(first) == 1 and "[" in lines[-1] else _upright(first)
    rows = [*first, *(_cells(line) for line in last_texts(path)[1:] if not _is_comment(line))]
    if len(first) < _FEWEST or not 0 < len(rows[0]) <= _MOST_COLUMNS:
        return False
    if comments and _names(comments[-1], len(rows[0])):
        return False
    numbers = all(as_number(cell) is not None for row in rows for cell in row)
    numbers = numbers and sum(len(row) == len(rows[0]) for row in rows) >= max(_FEWEST, _MOSTLY * len(rows))
    return numbers and any("." in cell or "e" in cell.lower() for row in rows for cell in row)


def read(path: Path, rows: Rows) -> FileInfo:
    """Every row a record. A first column of whole numbers that rise counts epochs, else the row does, from 1.

    A single column of values has the name of the file, if that says what it measures; others are `column_1` and so on.
    Of a file that has one line each number is a row. Comments are passed over, and lines of another width are unread.
    PostmortemError where no line is a row of numbers.
    """
    lines = Lines(path)
    records = Records(rows)
    table = [(line, _cells(line.text)) for line in lines if line.text.strip() and not line.cut]
    table = [(line, cells) for line, cells in table if not _is_comment(line.text)]
    if len(table) == 1:
        table = [(table[0][0], cells) for cells in _upright([table[0][1]])]
    width = len(table[0][1]) if table else 0
    whole = [
        (line, cells)
        for line, cells in table
        if len(cells) == width and all(as_number(cell) is not None for cell in cells)
    ]
    if not whole or not width:
        raise PostmortemError(f"{path}: none of its {lines.lines:,} lines is a row of numbers; it is no table of them")
    tracked = width == len(_TRACKED) and all(map(_is_tracked, (cells for _, cells in whole)))
    counted = width > 1 and _counts([cells[0] for _, cells in whole])
    names = [f"column_{index}" for index in range(1, width + 1)]
    if width - counted == 1:
        names[-1] = _measured(path.name) or names[-1]
    for index, (line, cells) in enumerate(whole, 1):
        place = Place(str(path), line=line.number, offset=line.offset, dialect="columns")
        values = dict(zip(names[counted:], cells[counted:], strict=True))
        row = (
            {path.name: cells[1], "step": cells[2]} if tracked else {"epoch": cells[0] if counted else index, **values}
        )
        records.put(place, row)
    info = lines.info("columns")
    info.unread_lines, info.left_out = len(table) - len(whole), records.left_out
    info.dialects = [name for name, _ in records.used.most_common()]
    return info


def _cells(line: str) -> list[str]:
    return _BETWEEN.split(line.translate(_BRACKETS).strip())


def _upright(rows: list[list[str]]) -> list[list[str]]:
    """The rows of a file; of one that has a single line, too long for a row, each number as one: a curve."""
    return [[cell] for cell in rows[0] if cell] if len(rows) == 1 and len(rows[0]) > _MOST_COLUMNS else rows


def _names(comment: str, columns: int) -> bool:
    """Whether a comment is a heading: as many words as columns, or more where names have several; one for one."""
    words = _cells(comment.strip().lstrip("# "))
    return len(words) >= columns > 1 or len(words) == columns


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _is_tracked(cells: Sequence[str]) -> bool:
    """Milliseconds since 1970, a value, and a step."""
    return _MILLISECONDS.fullmatch(cells[0]) is not None and cells[2].isdecimal()


def _counts(column: Sequence[str]) -> bool:
    """Whole numbers, each above the one before; NumPy writes them as 1.000e+00."""
    found = [as_number(cell) for cell in column]
    whole = [number for number in found if number is not None and number.is_integer()]
    return len(whole) == len(found) and all(after > before for before, after in itertools.pairwise(whole))


def _measured(name: str) -> str | None:
    """What a file's name says that it holds: `val_acc.txt`; None where it says nothing that is known."""
    key = "_".join(word for word in normalise(name).split("_") if word not in _BESIDE)
    return key if load().metric(key).known else None
