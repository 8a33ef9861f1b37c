"""Tables that training loops print: a heading of names, rows of numbers below it (fastai, Chainer, skorch, spaCy)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.parsing.names import normalise
from postmortem.parsing.numbers import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

#: A longer record is no line of a table.
_LONGEST: Final = 400
_FEWEST: Final = 3
#: A name may end with what it is taken over, or its unit: `eval(8)`, `val rmse[mm]`.
_NAME: Final = re.compile(
    r"(?:[^\W\d_]|#)[\w/#@.%<>-]*(?: (?:%|(?:/ )?[^\W\d_][\w/#@.%-]*)){0,3}(?:\s?[\[(][^\[\]()|]{1,12}[\])])?"
)
#: What a probability is of, in a name: `P(y=1|pos)`.
_IN_BRACKETS: Final = re.compile(r"\([^()]{1,20}\)")
_OVER: Final = re.compile(r"\s?[\[(][^\[\]()]*[\])]$")
_WORD: Final = re.compile(r"[A-Za-z]+")
#: Names of columns that count, beside those that count everywhere.
_COUNTERS: Final = {
    "iterations": "step",
    "steps": "step",
    "counter": "step",  # Vowpal Wabbit
    "epochs": "epoch",
    "#": "step",  # spaCy, as the next and the last
    "e": "epoch",
    "games": "step",
    "tree": "step",
    "trees": "step",
    "gen": "epoch",
    "itn": "epoch",
}
#: A measure in the heading of a table; in a line it is as often a time.
_COST: Final = "cost"
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
_SEPARATORS: Final = (re.compile(r"\s?,\s?"), re.compile(r"\s?;\s?"))
_MOST: Final = 40
#: Numbers that stand alone, below a counter that stands alone but for what they may be: `Epoch 1/75 Losses`.
_LONE: Final = re.compile(rf"\s*(?=[-+0-9]*\.|[-+]?(?i:nan|inf)){NUMBER}\s*")
_ABOVE_LONE: Final = re.compile(
    r"\W{0,8}[Ee]poch\s?[:#]?\s?[0-9]{1,6}(?:\s?(?:/|of)\s?[0-9]{1,6})?\s?:?"
    r"(?:\s(?P<name>[Ll]oss|[Aa]ccuracy|[Rr]eward)?(?P<names>[Ll]osses|[Aa]ccuracies|[Rr]ewards)?)?\W{0,8}"
)
_SEVERAL: Final = {"losses": "loss", "accuracies": "accuracy", "rewards": "reward"}
#: What they are called where nothing says what they are, as the columns of a file of numbers.
_UNNAMED: Final = "column_1"
#: Between columns.
_DASH: Final = " - "
#: What a row took, behind it and in brackets, which has no name: `3  1.25  0.75  (00:12)`.
_TOOK: Final = re.compile(r"(?<=[0-9])\s+\((?:[0-9]{1,3}:){1,2}[0-9]{2}\)\Z")
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
#: Where the names of such a report begin, at least.
_INDENT: Final = 4
#: So many columns far apart, of which the first counts, are a table whatever they measure.
_WIDE: Final = 4
#: How code names a measure: `abs_rel`, `d1`.
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_@]{0,30}")
#: Some tools write their headings as comments, or have a logger print the lines of a table.
_COMMENT: Final = re.compile(r"\s*#\s+(?=[A-Za-z])")
_LEVEL: Final = re.compile(r"\s*\[?(?:INFO|DEBUG)\]?\s?:?\s+")
_GAP: Final = re.compile(r"\s*\|\s*|\s{2,}|\t")
_BLANK: Final = re.compile(r"\s+")
#: What the columns up to the next bar are of: `epoch | train: loss acc | val: loss acc`.
_GROUP: Final = re.compile(r"(?:\A|\|)\s*(?P<group>[A-Za-z]{2,12}):(?=\s+[A-Za-z][^|]*)")
#: In a heading that has both, a bar with blanks around it is as good as a blank.
_BLANK_OR_BAR: Final = re.compile(r"\s+(?:\|\s+)?")


class Cell(NamedTuple):
    """A name or a number, and where in the record's body it stands."""

    text: str
    at: Where


def heading(text: str, names: Names) -> tuple[Cell, ...]:
    """The columns that a record names: one that counts, one that counts or measures. Empty for any other record.

    With bars between them none need count: the step may stand above the table. With bars around them any name will do.
    """
    text = _barred(_blanked(text[: _LONGEST + 1], _LEVEL))
    groups = [(found.span("group"), found["group"]) for found in _GROUP.finditer(text)] if "|" in text else []
    for (start, end), _ in groups:
        text = f"{text[:start]}{' ' * (end + 1 - start)}{text[end + 1 :]}"
    outside = _IN_BRACKETS.sub("", text) if "=" in text else text
    if len(text) > _LONGEST or "=" in outside or ":" in outside:
        return ()
    return _grouped(_named(text, names), text, groups)


def _grouped(cells: Sequence[Cell], text: str, groups: Sequence[tuple[Where, str]]) -> tuple[Cell, ...]:
    """The names of columns with what a group of them is of, up to the next bar."""
    for (start, _), group in groups:
        end = text.find("|", start) if "|" in text[start:] else len(text)
        cells = [cell._replace(text=f"{group} {cell.text}") if start <= cell.at[0] < end else cell for cell in cells]
    return tuple(cells)


def _named(text: str, names: Names) -> tuple[Cell, ...]:
    """The columns by their own names."""
    text = _blanked(text, _COMMENT).replace("|g|", "gn ")  # whose bars are none between columns
    if text.count(",") >= _FEWEST - 1 or text.count(";") >= _FEWEST - 1:
        each = (_with_separators(_split(text, between), between, names) for between in _SEPARATORS)
        return next(filter(None, each), ())
    apart, words = _split(text, _GAP), _of_splits(_split(text, _BLANK_OR_BAR), text, names)
    if all("_" in word.text or _told(word, names) for word in words) or (
        len(apart) == 1 and text.isupper() and _begins(words, names)
    ):
        apart = words  # names that are as wide as their columns stand a blank apart
    pair = len(words) < _FEWEST and _begins(words, names) and _measures(words[-1].text, names)
    for cells in (apart, words):
        if (len(cells) < _FEWEST and not pair) or not all(_NAME.fullmatch(cell.text) for cell in cells):
            continue
        by_class = text[:_INDENT].isspace() and (
            all(_measures(cell.text, names) for cell in cells[:_FEWEST]) or _are_measures(cells, names)
        )
        if text.count("|") < len(cells) - 1 and not by_class and not any(counter(cell.text, names) for cell in cells):
            continue
        known = [_told(cell, names) for cell in cells]
        told = cells is apart or all(known[:_FEWEST]) or ("|" in text and 2 * sum(known) >= len(cells))
        framed = text.startswith("|") and text.endswith("|")
        counted = sum(counter(cell.text, names) is not None for cell in cells) > 1
        wide = cells is apart and len(cells) >= _WIDE and counter(cells[0].text, names) is not None
        if told and (framed or counted or wide or any(_measures(cell.text, names) for cell in cells)):
            return _taken_over(cells)
    return ()


def _are_measures(cells: Sequence[Cell], names: Names) -> bool:
    """Whether many names, none of them a word of prose, are of measures, some of which are known."""
    return (
        len(cells) > _WIDE
        and all(_SNAKE.fullmatch(cell.text) for cell in cells)
        and any(names.metric(cell.text).known for cell in cells)
    )


def _begins(words: Sequence[Cell], names: Names) -> bool:
    """Whether the first of several words counts."""
    return len(words) > 1 and counter(words[0].text, names) is not None


def _taken_over(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The names without what they are taken over, unless that is all that tells them apart: `acc[0-4]  acc[5-9]`."""
    bare = [_OVER.sub("", cell.text) for cell in cells]
    return tuple(
        cell if bare.count(name) > 1 else cell._replace(text=name) for cell, name in zip(cells, bare, strict=True)
    )


def _with_separators(cells: Sequence[Cell], between: re.Pattern[str], names: Names) -> tuple[Cell, ...]:
    """Columns with commas between: no sentence, whose words are not names of measures from the first on.

    Between semicolons a name may be several words, and in quotes anywhere.
    """
    if len(cells) < _FEWEST:
        return ()
    if quoted := all(len(cell.text) > _FEWEST and cell.text[0] == cell.text[-1] in "'\"" for cell in cells):
        cells = [Cell(cell.text[1:-1], (cell.at[0] + 1, cell.at[1] - 1)) for cell in cells]
    several = quoted or (cells[0].text.isalpha() and ";" in between.pattern)
    bare = (_IN_BRACKETS.sub("", cell.text) for cell in cells)
    if not all(_NAME.fullmatch(name) and (several or " " not in name) for name in bare):
        return ()
    counted = [cell for cell in cells if counter(cell.text, names) is not None]
    return tuple(cells) if counted and (quoted or any(_measures(cell.text, names) for cell in cells)) else ()


def above_lone(text: str) -> tuple[Cell, ...]:
    """The one column that a counter alone in its record may head. Empty for any other."""
    found = _ABOVE_LONE.fullmatch(text)
    if found is None:
        return ()
    name = found["name"] or _SEVERAL.get((found["names"] or "").lower(), _UNNAMED)
    return (Cell(name.lower(), (0, len(text))),)


def row(text: str) -> tuple[Cell, ...]:
    """The cells of a record that holds numbers, and a name before them or words between bars. Empty for any other."""
    text = _barred(_blanked(text[: _LONGEST + 1], _LEVEL))
    if len(text) > _LONGEST:
        return ()
    if text.endswith(")"):
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
    for between in _SEPARATORS:
        cells = tuple(_parts(text, between))
        told = sum(cell.text != "" for cell in cells)
        if (
            _FEWEST <= len(cells) <= _MOST
            and told
            and all(_WHOLE_CELL.fullmatch(cell.text) or not cell.text or _STAMP.fullmatch(cell.text) for cell in cells)
        ):
            return cells
    if ";" in text and _FEWEST <= len(cells) <= _MOST and _WHOLE_CELL.fullmatch(cells[0].text):
        told = sum(_WHOLE_CELL.fullmatch(cell.text) is not None for cell in cells)
        if told >= _FEWEST and all(_WHOLE_CELL.fullmatch(cell.text) or _PLAIN.fullmatch(cell.text) for cell in cells):
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


def _barred(text: str) -> str:
    """`text` with bars where dashes stand between its columns, `0 - 0.5 - 76.5`."""
    dashed = text.count(_DASH) >= _FEWEST - 1 and "|" not in text
    return text.replace(_DASH, " | ") if dashed else text


def _blanked(text: str, mark: re.Pattern[str]) -> str:
    """`text` with as many blanks as there were characters of a mark before it."""
    found = mark.match(text)
    return " " * found.end() + text[found.end() :] if found else text


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


def columns_of(columns: Sequence[Cell], cells: Sequence[Where]) -> Sequence[Cell] | None:
    """For each cell its column: in order where all are there, else by the edge it shares. None where one has none.

    Columns so wide that their names stand a blank apart look like one of several words.
    """
    words = [word for column in columns for word in _words(column)]
    for named in (columns, words):
        if len(cells) == len(named):
            return named
    for edge in (0, 1):
        edges = {column.at[edge]: column for column in columns}
        found = [edges[cell[edge]] for cell in cells if cell[edge] in edges]
        if len(found) == len(cells):
            return found
    return None


def _words(cell: Cell) -> Iterator[Cell]:
    start = cell.at[0]
    for word in _split(cell.text, _BLANK):
        yield Cell(word.text, (start + word.at[0], start + word.at[1]))


def counter(name: str, names: Names) -> str | None:
    """What a column counts: step, batch or epoch."""
    key = normalise(name)
    return names.counters.get(key) or _COUNTERS.get(key or name)


def _told(cell: Cell, names: Names) -> bool:
    return counter(cell.text, names) is not None or _measures(cell.text, names)


def _measures(name: str, names: Names) -> bool:
    """A known metric, or one with a known word in it: `main/loss`, `LOSS NER`."""
    return any(names.metric(word).known or word.lower() == _COST for word in (name, *_WORD.findall(name)))


def _of_splits(words: Sequence[Cell], text: str, names: Names) -> list[Cell]:
    """Words that stand a blank apart, a split and what it measures as one name: `epoch train loss valid loss`."""
    found: list[Cell] = []
    for word in words:
        before = found[-1] if found else None
        if before and names.is_split(before.text) and names.metric(word.text).known:
            found[-1] = Cell(text[before.at[0] : word.at[1]], (before.at[0], word.at[1]))
        else:
            found.append(word)
    return found


def _split(text: str, gap: re.Pattern[str]) -> list[Cell]:
    cells, start = [], 0
    for found in (*gap.finditer(text), None):
        end = found.start() if found else len(text)
        if part := text[start:end].strip():
            begin = start + len(text[start:end]) - len(text[start:end].lstrip())
            cells.append(Cell(part, (begin, begin + len(part))))
        start = found.end() if found else end
    return cells
