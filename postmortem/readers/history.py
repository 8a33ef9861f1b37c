"""A JSON file that is one object of lists, each a curve: Keras' `history.json`, `DataFrame.to_json`."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.histories import of_values
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._lines import last_texts
from postmortem.readers._records import Records, as_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = True
_NUMBER: Final = rb"\"?[-+]?(?:[0-9][0-9.eE+-]*|NaN|Infinity|null)\"?"
#: An object that begins with a list of numbers, or with one as pandas writes it, each number behind its index. It may
#: stand in another object or two: `{"history": {"loss": [0.5, 0.25`.
_HEAD: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\{\s*(?:\"[^\"]{1,200}\"\s*:\s*\{\s*){0,2}\"[^\"]{1,200}\"\s*:\s*"
    rb"(?:\[\s*(?:" + _NUMBER + rb"\s*,\s*){2}" + _NUMBER + rb"|\{\s*\"0\"\s*:\s*" + _NUMBER + rb"\s*,\s*\"1\"\s*:)"
)
#: Fewer values are a pair: a size, the betas of Adam.
_FEWEST: Final = 3
#: Objects in objects, so deep.
_DEEPEST: Final = 8


def reads(path: Path, head: bytes) -> bool:
    """One object whose first value is a list of numbers; where another begins on its last line it is JSON lines."""
    if not _HEAD.match(head):
        return False
    last = last_texts(path)[1:]
    return not (last and last[-1].lstrip().startswith("{"))


def read(path: Path, rows: Rows) -> FileInfo:
    """Every list a curve over epochs, from 1, unless a list of the object counts. What is no list is stated once.

    Of lists of several lengths those of the commonest, of equally common ones the longest, are placed; others keep
    their order. PostmortemError for what is no whole object.
    """
    document = _json.Document(path)
    try:
        whole = _json.decode(document.text.lstrip("\ufeff"))
    except ValueError:
        whole = None
    if not isinstance(whole, dict):
        raise PostmortemError(f"{path}: no whole JSON object of lists; it is broken or was cut off")
    records = Records(rows)
    curves, stated = _lists(whole, records.left_out)
    if not curves:
        raise PostmortemError(f"{path}: its object holds no list of {_FEWEST} numbers or more; it is no history")
    for name, value in stated.items():
        own = name.rpartition("/")[2]
        known = rows.names.setting(own) is not None  # `config/batch_size`
        records.put(_place(path, document, name), {own if known else name: value})
    counted = {name: values for name, values in curves.items() if rows.names.counter(name) is not None}
    lengths = Counter(len(values) for values in curves.values())
    commonest = max(lengths, key=lambda length: (lengths[length], length))
    for name, values in curves.items():
        if name not in counted:
            place, metric = _place(path, document, name), of_values(name, rows.names)
            for at, value in enumerate(values):
                place.record = at  # what is of one epoch stands together, and a curve in its order
                records.put(place, {**_counters(counted, at, len(values), commonest), metric: value})
    info = document.info("history")
    info.left_out = records.left_out
    info.dialects = [name for name, _ in records.used.most_common()]
    return info


def _counters(counted: Mapping[str, list[object]], at: int, length: int, commonest: int) -> dict[str, object]:
    """What places the values of this index in the lists of this length."""
    found = {name: values[at] for name, values in counted.items() if len(values) == length}
    return found or ({"epoch": at + 1} if length == commonest else {})


def _place(path: Path, document: _json.Document, name: str) -> Place:
    line, offset = document.line_of(f'"{name.rpartition("/")[2]}"')
    return Place(str(path), line=line, offset=offset, dialect="history")


def _lists(whole: Mapping[str, object], left_out: Counter[str]) -> tuple[dict[str, list[object]], dict[str, object]]:
    """The lists of numbers by their names, and all else; nested ones as `outer/inner`."""
    curves: dict[str, list[object]] = {}
    stated: dict[str, object] = {}
    for name, value in _walk(whole, 0):
        values = _indexed(value)
        if values is None and not isinstance(value, list | dict):
            stated[name] = value
        elif values is None or len(values) < _FEWEST or not all(_is_value(one) for one in values):
            left_out["lists that are no curve"] += 1
        else:
            curves[name] = values
    return curves, stated


def _walk(outer: Mapping[str, object], depth: int, before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in outer.items():
        if isinstance(value, dict) and _indexed(value) is None and depth < _DEEPEST:
            yield from _walk(value, depth + 1, f"{before}{key}/")
        else:
            yield f"{before}{key}", value


def _indexed(value: object) -> list[object] | None:
    """A list, or an object of values by their index, as pandas writes a column. None for anything else."""
    if isinstance(value, dict):
        return list(value.values()) if value and all(key.isdecimal() for key in value) else None
    return value if isinstance(value, list) else None


def _is_value(value: object) -> bool:
    """A number, or nothing where one would be."""
    return value is None or as_number(value) is not None
