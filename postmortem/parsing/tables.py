"""Tables that training loops print: a heading of names, rows of numbers below it (fastai, Chainer, skorch, spaCy)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.cells import FEWEST, LONGEST, SEPARATORS, Cell, line_of_table, split
from postmortem.parsing.counters import PLURAL
from postmortem.parsing.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Where

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
    "itn": "epoch",
}
#: A measure in the heading of a table; in a line it is as often a time.
_COST: Final = "cost"
#: A counter alone in its record, but for what the numbers below it may be: `Epoch 1/75 Losses`.
_ABOVE_LONE: Final = re.compile(
    r"\W{0,8}[Ee]poch\s?[:#]?\s?[0-9]{1,6}(?:\s?(?:/|of)\s?[0-9]{1,6})?\s?:?"
    r"(?:\s(?P<name>(?i:loss(?:es)?|accurac(?:y|ies)|rewards?)))?\W{0,8}"
)
_SEVERAL: Final = {"losses": "loss", "accuracies": "accuracy", "rewards": "reward"}
#: What they are called where nothing says what they are, as the columns of a file of numbers.
_UNNAMED: Final = "column_1"
#: Where the names of such a report begin, at least.
_INDENT: Final = 4
#: So many columns far apart, of which the first counts, are a table whatever they measure.
_WIDE: Final = 4
#: How code names a measure: `abs_rel`, `d1`.
_SNAKE: Final = re.compile(r"[a-z][a-z0-9_@]{0,30}")
#: Some tools write their headings as comments.
_COMMENT: Final = re.compile(r"\A\s*#\s+(?=[A-Za-z])")
#: What stands around a heading that a program prints by hand: `*****train_loss,valid_loss,valid_acc*****`.
_ORNAMENT: Final = re.compile(r"\A\s*[*=#~-]{3,}(?=\s*[A-Za-z])|[*=#~-]{3,}\s*\Z")
_GAP: Final = re.compile(r"\s*\|\s*|\s{2,}|\t")
_BLANK: Final = re.compile(r"\s+")
#: What the columns up to the next bar are of: `epoch | train: loss acc | val: loss acc`.
_GROUP: Final = re.compile(r"(?:\A|\|)\s*(?P<group>[A-Za-z]{2,12}):(?=\s+[A-Za-z][^|]*)")
#: In a heading that has both, a bar with blanks around it is as good as a blank.
_BLANK_OR_BAR: Final = re.compile(r"\s+(?:\|\s+)?")


def heading(text: str, names: Names) -> tuple[Cell, ...]:
    """The columns that a record names: one that counts, one that counts or measures. Empty for any other record.

    With bars between them none need count: the step may stand above the table. With bars around them any name will do.
    """
    text = line_of_table(text)
    groups = [(found.span("group"), found["group"]) for found in _GROUP.finditer(text)] if "|" in text else []
    for (start, end), _ in groups:
        text = f"{text[:start]}{' ' * (end + 1 - start)}{text[end + 1 :]}"
    outside = _IN_BRACKETS.sub("", text) if "=" in text else text
    if len(text) > LONGEST or "=" in outside or ":" in outside:
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
    text = _COMMENT.sub(lambda found: " " * len(found[0]), text)
    text = text.replace("|g|", "gn ")  # whose bars are none between columns
    if text.count(",") >= FEWEST - 1 or text.count(";") >= FEWEST - 1:
        bare = _ORNAMENT.sub(lambda found: " " * len(found[0]), text)
        ornate = bare != text
        each = (_with_separators(split(bare, between), between, names, ornate=ornate) for between in SEPARATORS)
        return next(filter(None, each), ())
    apart, words = split(text, _GAP), _of_splits(split(text, _BLANK_OR_BAR), text, names)
    if all("_" in word.text or _told(word, names) for word in words) or (
        len(apart) == 1 and text.isupper() and _begins(words, names)
    ):
        apart = words  # names that are as wide as their columns stand a blank apart
    pair = len(words) < FEWEST and _begins(words, names) and _measures(words[-1].text, names)
    for cells in (apart, words):
        if (len(cells) < FEWEST and not pair) or not all(_NAME.fullmatch(cell.text) for cell in cells):
            continue
        by_class = text[:_INDENT].isspace() and (
            all(_measures(cell.text, names) for cell in cells[:FEWEST]) or _are_measures(cells, names)
        )
        if text.count("|") < len(cells) - 1 and not by_class and not any(counter(cell.text, names) for cell in cells):
            continue
        known = [_told(cell, names) for cell in cells]
        told = cells is apart or all(known[:FEWEST]) or ("|" in text and 2 * sum(known) >= len(cells))
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


def _with_separators(
    cells: Sequence[Cell], between: re.Pattern[str], names: Names, *, ornate: bool
) -> tuple[Cell, ...]:
    """Columns with commas between: no sentence, whose words are not names of measures from the first on.

    Between semicolons a name may be several words, and in quotes anywhere. One is to count, but between ornaments,
    where all but one are measures.
    """
    if len(cells) < FEWEST:
        return ()
    if quoted := all(len(cell.text) > FEWEST and cell.text[0] == cell.text[-1] in "'\"" for cell in cells):
        cells = [Cell(cell.text[1:-1], (cell.at[0] + 1, cell.at[1] - 1)) for cell in cells]
    several = quoted or (cells[0].text.isalpha() and ";" in between.pattern)
    bare = (_IN_BRACKETS.sub("", cell.text) for cell in cells)
    if not all(_NAME.fullmatch(name) and (several or " " not in name) for name in bare):
        return ()
    counted = any(counter(cell.text, names) is not None for cell in cells)
    measured = sum(_measures(cell.text, names) for cell in cells)
    return tuple(cells) if (counted and (quoted or measured)) or (ornate and measured >= len(cells) - 1) else ()


def above_lone(text: str) -> tuple[Cell, ...]:
    """The one column that a counter alone in its record may head. Empty for any other."""
    found = _ABOVE_LONE.fullmatch(text)
    if found is None:
        return ()
    name = (found["name"] or _UNNAMED).lower()
    return (Cell(_SEVERAL.get(name, name), (0, len(text))),)


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
    for word in split(cell.text, _BLANK):
        yield Cell(word.text, (start + word.at[0], start + word.at[1]))


def counter(name: str, names: Names) -> str | None:
    """What a column counts: step, batch or epoch."""
    key = normalise(name)
    return names.counters.get(key) or _COUNTERS.get(key or name)


def counters(columns: Iterable[str], names: Names) -> dict[str, str]:
    """The columns of a row that count, with what. Beside a counter of steps a plural is an amount: of an episode's."""
    found = {name: kind for name in columns if (kind := counter(name, names)) is not None}
    amounts = {name for name, kind in found.items() if kind == "step" and normalise(name) in PLURAL}
    singular = any(kind == "step" and name not in amounts for name, kind in found.items())
    return {name: kind for name, kind in found.items() if not (singular and name in amounts)}


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
