"""The cells of a line that may be a row of a table, and where each stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.parsing import loggers
from postmortem.parsing.numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.parsing.reading import Where

#: A longer record is no line of a table.
LONGEST: Final = 400
#: Columns of a table that is told by them alone.
FEWEST: Final = 3
#: How far a counter is of what it counts to, `3/29`, is where it is. A list may stand in a cell; of one number alone it
#: is that number, of several it holds one for each part.
_CELL: Final = (
    rf"(?:[0-9]+/[0-9]+|{NUMBER}(?:\s?%|[KMGT]i?B?)?|[0-9]\^[0-9]{{1,3}}|\[[^\[\]|]{{0,200}}\]"
    r"|[0-9.]+(?:[smh]|min)|[0-9]+(?::[0-9]+)+(?:\.[0-9]+)?"
    r"|-+|\+|None)"
)
_LISTED: Final = re.compile(rf"\s*({NUMBER})\s?%?\s*(?:,|$)")
_ROW: Final = re.compile(rf"\|?\s*{_CELL}(?:(?:\s+|\s*\|\s*){_CELL}){{1,40}}\s*\|?")
_CELLS: Final = re.compile(rf"(?<![^\s|])(?:{_CELL})(?![^\s|])")
#: Between the cells of a row that may be empty, of which there are so many; `1,2` alone is a decimal number as often.
SEPARATORS: Final = (re.compile(r"\s?,\s?"), re.compile(r"\s?;\s?"))
_MOST: Final = 40
#: A number that stands alone.
_LONE: Final = re.compile(rf"\s*(?=[-+0-9]*\.|[-+]?(?i:nan|inf)){NUMBER}\s*")
#: Between two columns, neither of which is a dash that stands for nothing.
_DASH: Final = re.compile(r"(?<=[^\s-]) - (?=[^\s-])")
#: Behind a row, what has no column of its own: how long it took, in brackets, `3  1.25  0.75  (00:12)`, and the unit of
#: its last cell, `3  1.25  0.55 s`.
_TOOK: Final = re.compile(r"(?<=[0-9])\s+(?:\((?:[0-9]{1,3}:){1,2}[0-9]{2}\)|s|sec|secs|seconds|ms|min)\Z")
#: What that ends in, which is looked at first, as most rows end in a digit.
_LAST: Final = frozenset(")scn")
#: When a row was written: `Sep02-10:20:30`, `2024-05-01 10:20:30`.
_STAMP: Final = re.compile(
    r"[A-Za-z]{3}[0-9]{1,2}-[0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T_/][0-9:.]{5,15}"
)
_PLAIN: Final = re.compile(r"[\w.+-]{0,40}")
#: A number with commas of its own is several cells there: to try it as one as well takes time without end.
_WHOLE_CELL: Final = re.compile(_CELL)
#: A row with bars around, of which a cell may be any word, and how many of its cells must be numbers.
_FRAMED: Final = re.compile(r"\s*\|(?:[^|]{1,80}\|){3,40}\s*")
_BAR: Final = re.compile(r"\|")
_FEWEST_NUMBERS: Final = 2
#: A row of several numbers that begins with what they are of, as a report by class does.
_LABELLED: Final = re.compile(rf"(?P<label>[^\W\d_][\w./ -]{{0,40}}?)(?:\s{{2,}}{_CELL}){{3,40}}")
_LABEL: Final = re.compile(r"(?!None$)[^\W\d_][^|]*")


class Cell(NamedTuple):
    """A name or a number, and where in the record's body it stands."""

    text: str
    at: Where


def line_of_table(text: str) -> str:
    """`text` as far as a line of a table may go, less a logger's level, with bars for dashes between columns."""
    text = loggers.blanked(text[: LONGEST + 1])
    dashed = "|" not in text and len(_DASH.findall(text)) >= FEWEST - 1
    return _DASH.sub(" | ", text) if dashed else text


def row(text: str) -> tuple[Cell, ...]:
    """The cells of a record that holds numbers, and a name before them or words between bars. Empty for any other."""
    text = line_of_table(text)
    if len(text) > LONGEST:
        return ()
    if text[-1:] in _LAST:
        text = _TOOK.sub(lambda found: " " * len(found[0]), text)
    if _ROW.fullmatch(text.strip()) or _LONE.fullmatch(text):
        return tuple(_cell(found) for found in _CELLS.finditer(text))
    if labelled := _LABELLED.fullmatch(text.strip()):
        at = len(text) - len(text.lstrip())
        label = Cell(labelled["label"], (at, at + len(labelled["label"])))
        return (label, *(_cell(found) for found in _CELLS.finditer(text, label.at[1])))
    if separated := _separated(text):
        return separated
    if _FRAMED.fullmatch(text):
        cells = [cell for cell in _parts(text, _BAR) if 0 < cell.at[0] <= text.rindex("|")]
        return tuple(cells) if sum(len(numbers(cell)) == 1 for cell in cells) >= _FEWEST_NUMBERS else ()
    return ()


def _separated(text: str) -> tuple[Cell, ...]:
    """The cells of a row with commas or semicolons between, each a number, a time or nothing. Empty for any other.

    Between semicolons some may be words, such as checksums, in a row that begins with a number.
    """
    for between in SEPARATORS:
        cells = tuple(_parts(text, between))
        told = sum(cell.text != "" for cell in cells)
        if (
            FEWEST <= len(cells) <= _MOST
            and told
            and all(_WHOLE_CELL.fullmatch(cell.text) or not cell.text or _STAMP.fullmatch(cell.text) for cell in cells)
        ):
            return cells
    if ";" in text and FEWEST <= len(cells) <= _MOST and _WHOLE_CELL.fullmatch(cells[0].text):
        told = sum(_WHOLE_CELL.fullmatch(cell.text) is not None for cell in cells)
        if told >= FEWEST and all(_WHOLE_CELL.fullmatch(cell.text) or _PLAIN.fullmatch(cell.text) for cell in cells):
            return cells
    return ()


def _parts(text: str, between: re.Pattern[str]) -> Iterator[Cell]:
    """What stands between the separators of a row, nothing included."""
    start = 0
    for found in (*between.finditer(text), None):
        end = found.start() if found else len(text)
        part = text[start:end]
        begin = start + len(part) - len(part.lstrip())
        yield Cell(part.strip(), (begin, begin + len(part.strip())))
        start = found.end() if found else end


def split(text: str, between: re.Pattern[str]) -> list[Cell]:
    """What stands between the separators of a heading, but for nothing."""
    return [cell for cell in _parts(text, between) if cell.text]


def is_label(cell: Cell) -> bool:
    """True for a cell that is a name, and no number."""
    return not numbers(cell) and _LABEL.fullmatch(cell.text) is not None


def numbers(cell: Cell) -> tuple[Where, ...]:
    """Where in the record's body each number of a cell stands: of a list all, of anything else none."""
    found, end = [], 0
    while number := _LISTED.match(cell.text, end):
        found.append((cell.at[0] + number.start(1), cell.at[0] + number.end(1)))
        end = number.end()
    return tuple(found) if end == len(cell.text) else ()


def _cell(found: re.Match[str]) -> Cell:
    text, (start, end) = found[0], found.span()
    part, slash, _ = text.partition("/")
    if slash:
        return Cell(part, (start, start + len(part)))
    return Cell(text[1:-1], (start + 1, end - 1)) if text[0] == "[" else Cell(text, (start, end))
