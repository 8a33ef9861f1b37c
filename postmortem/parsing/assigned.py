"""A record that is one setting, or one row of a table of two columns, and nothing else."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, read
from postmortem.parsing.reading import Assignment, Pair
from postmortem.parsing.words import look, only_metric

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Reading

_FILE: Final = re.compile(r"\.(?:py|cc?|cpp|cu|h|sh|so|js|yaml|json)$|^(?:https?|file)$", re.IGNORECASE)
_TYPE: Final = "(?:int|float|bool|str|list|dict|tuple|set|NoneType|Path)"
#: A line that is one setting and nothing else: key = value, key: value, "key": value, --key=value, key ..... value,
#: key : int = value; the last line of a dict may close it.
_ASSIGNMENT: Final = re.compile(
    rf"\s*(?:[-*+>#|]\s+|--)?(?P<quote>['\"]?)(?P<key>[A-Za-z_][\w.-]{{0,60}})(?P=quote)(?:\s*:\s*{_TYPE}(?=\s*=))?"
    r"\s*(?P<sep>=|:|\||\s\.{3,}(?!\.))\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|[^\s,;#{}]+(?=\}+,?\s*$)|[^\s,;#]+)\}*\s*[,|]?\s*"
    r"(?P<note>(?://|#|\().*|by default)?$"
)
#: An option as it is given on a command line, alone: `--lr 0.1`, which goes on below where a backslash ends it; not as
#: its help names it, `--lr LR`.
_OPTION: Final = re.compile(
    r"\s*--(?P<key>[A-Za-z][\w.-]{0,60})\s+(?![A-Z_]+\s*$)(?P<value>[^\s-]\S{0,200})\s*(?:\\\s*)?"
)
#: A setting as a line of a csv has it: `temperature,4.0`.
_IN_CELLS: Final = re.compile(rf"\s*(?P<key>[A-Za-z_][\w.-]{{0,60}})\s?[,;]\s?(?P<value>{NUMBER})\s*")
#: A row of a table that is drawn, of a name and numbers of it, the first of them its value: `loss | 173.4 | 173.2`.
_DRAWN: Final = re.compile(
    rf"\s*\|?\s*(?P<key>[A-Za-z_][\w/@.-]{{0,60}})\s+\|\s+(?P<value>{NUMBER})(?:\s+\|\s+(?:{NUMBER}))*\s*\|?\s*"
)
#: A row of a table of two columns: `| rollout/return | 0.5 |`, `lossAverage      nan`.
_ROW: Final = re.compile(
    r"\s*(?P<bar>\|\s*)?(?P<key>[A-Za-z_][\w/@.-]{0,60}(?: [A-Za-z0-9][\w/@.-]*){0,3})(?(bar)\s*\|\s*|(?:\s{2,}|\t))"
    rf"(?P<value>{NUMBER})\s*(?(bar)\|)\s*"
)
#: A name as programs write it; not that of a report on an error.
_SNAKE: Final = re.compile(r"(?!.*(?i:error|exception|exit|time))[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
#: What begins as a word or a path does.
_WORD: Final = re.compile(r"['\"~.]{0,2}/?[A-Za-z_]")
#: What a function gives, in a line of code that a traceback quotes: `loss = self.criterion(output`.
_CALL: Final = re.compile(r"[a-z_][\w.]*\(")
#: What closes a pandas series in print: it is of a table, and no setting of the training.
_OF_A_TABLE: Final = frozenset({"float64", "int64", "object"})
#: What begins a list of lines.
_OPENING: Final = frozenset("[({")
_DIGIT: Final = re.compile(r"[0-9]")


def is_number(text: str) -> bool:
    """True where all of a text is one number."""
    return re.fullmatch(NUMBER, text) is not None


def one_line(text: str, start: int, names: Names, reading: Reading, *, drawn: bool) -> bool:
    """Read a record that is one setting, or one row of a table, and nothing else. False for any other."""
    if assignment := _ASSIGNMENT.match(text, start):
        look(assignment["key"], text, assignment.span("key"), reading.looked_at)
        if _is_setting(assignment, names, reading):
            state(assignment, reading)
            if not _is_called(assignment):
                return True
    if option := _OPTION.fullmatch(text, start):
        state(option, reading)
        return True
    if (cells := _IN_CELLS.fullmatch(text, start)) and names.setting(cells["key"]):
        state(cells, reading)
        return True
    row = _ROW.fullmatch(text, start) or (drawn and _drawn(text, start, names))
    if row and not reading.has_place:
        _row(row, names, reading)
        return True
    return False


def _drawn(text: str, start: int, names: Names) -> re.Match[str] | None:
    """A row of a drawn table that begins with what it measures; a split has its numbers under a heading."""
    found = _DRAWN.fullmatch(text, start)
    return None if found is None or names.is_split(found["key"]) else found


def _row(found: re.Match[str], names: Names, reading: Reading) -> None:
    """What a row of two columns holds: a setting under a name of one, else what is measured or no count."""
    key, value = found["key"], found["value"]
    look(key, found.string, found.span("key"), reading.looked_at)
    if names.setting(key) and not names.metric(key).known:
        state(found, reading)
    elif "." in value or not math.isfinite(read(value)) or only_metric(key, names):
        reading.metrics.append(Pair(key, read(value), value, found.span("value")))


def _is_setting(found: re.Match[str], names: Names, reading: Reading) -> bool:
    """A line that is one assignment is a setting, unless only a metric has that name or a counter stands there."""
    key = found["key"]
    share = found["value"].endswith("%") and (names.setting(key) is None or names.metric(key).known)  # it is measured
    if reading.has_place or share or _FILE.search(key):
        return False
    if _is_code(found) or _closes_a_table(found) or found["value"] in _OPENING or _is_no_word(found, names):
        return False
    if names.setting(key) or found["sep"] == "|":  # a row of a table may be of anything
        return found["sep"] != "|" or (names.setting(key) is not None and is_number(found["value"]))
    if names.metric(key).known:
        return False
    if found["sep"] == ":" and not found["quote"]:
        # of a word, as in a dump of YAML: `lr_scheduler_type: cosine`; a number, nan too, is measured as often
        word = _WORD.match(found["value"]) is not None and not is_number(found["value"])
        return word and _SNAKE.fullmatch(key) is not None
    return True


def _is_no_word(found: re.Match[str], names: Names) -> bool:
    """A number where a setting is a word: `Precision: 0.75` is measured."""
    worded = names.setting(found["key"]) in names.worded
    return worded and is_number(found["value"]) and not names.states(found["key"], found["value"])


def _is_called(found: re.Match[str]) -> bool:
    """`optimizer: Adam(lr=0.001, eps=1e-08)`: what stands in the brackets is stated as well."""
    return (found["note"] or "").startswith("(") and "=" in found["note"] and not is_number(found["value"])


def _is_code(found: re.Match[str]) -> bool:
    """Code that a traceback or a warning quotes: `loss = self.criterion(x`, `mask=mask,`, `self.x = X()`."""
    call = found["sep"] == "=" and _CALL.match(found.string, found.start("value")) is not None
    return call or found["value"] == found["key"] or found["key"].startswith("self.")


def _closes_a_table(found: re.Match[str]) -> bool:
    """`dtype: float64`, the last line of a pandas series in print."""
    return found["key"] == "dtype" and found["sep"] == ":" and found["value"] in _OF_A_TABLE


def state(found: re.Match[str], reading: Reading) -> None:
    """Note a setting, without the quotes around its value."""
    start = found.start("value")
    printed = found["value"]
    text = printed.strip("'\"")
    start += len(printed) - len(printed.lstrip("'\""))
    number = read(text) if is_number(text) else None
    if _DIGIT.search(found["key"]):
        reading.looked_at.append(found.span("key"))
    reading.settings.append(Assignment(found["key"], text, number, (start, start + len(text))))
