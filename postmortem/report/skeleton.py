"""A dialect to begin with, for lines that nobody read: the pattern of one of them, its numbers as fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from postmortem.frames import PLACE
from postmortem.parsing.check import check
from postmortem.parsing.dialect import Dialect
from postmortem.parsing.names import normalise
from postmortem.parsing.numbers import NUMBER
from postmortem.parsing.pattern import TYPES, Pattern
from postmortem.report.escape import visible
from postmortem.report.mask import MASK, mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from postmortem.parsing.pattern import FieldValue
    from postmortem.parsing.understanding import Unread

NAME: Final = "mine"
_KIND: Final = "name_me"
#: Fewer letters beside the fields stand in too many lines.
_FEWEST: Final = 8
#: Characters of a line that its pattern takes: a pattern is found in any line that holds it.
_LONGEST: Final = 160
_WORD: Final = re.compile(r"\S+")
#: A word that is one number, with marks around it; and what varies in others, or would be taken for a field.
_NUMBER: Final = re.compile(rf"(?P<before>[^\w.+~'\"-]*(?:[A-Za-z_]\w*[(\[])?)(?P<number>{NUMBER})(?P<after>[^\w\s]*)")
_MIXED: Final = r"[^\W_]*[0-9][^\W_]*"
_VARIES: Final = re.compile(rf"{_MIXED}(?:[-.:,/_+]{_MIXED})*|{re.escape(MASK)}|\{{\w*:\w+\}}")
_FIELD: Final = re.compile(r"\{\w*:\w+\}")
_DIGIT: Final = re.compile(r"[0-9]")
_PASSED_OVER: Final = "{:any}"
_PASSED_OVER_TWICE: Final = re.compile(r"\{:any\}(?:\s+\{:any\})+")


def skeleton(unread: Iterable[Unread], path: str) -> str | None:
    """A file for the first of these that a pattern can be told from other lines by; None where there is none."""
    for shape in unread:
        text, pattern = _pattern(mask(shape.example))
        found = next(Pattern(pattern).find(text), None)
        if found is None or len(re.findall(r"[^\W\d_]", _FIELD.sub("", pattern))) < _FEWEST:
            continue
        line = {"pattern": pattern, "sample": {"text": text, "gives": found.values}}
        line |= {"frame": "metrics"} if found.values else {"frame": "events", "set": {"kind": _KIND}}
        spec = Dialect.model_validate({"name": NAME, "title": "-", "source": "-", "lines": [line]})
        if not any(tried.problems for tried in check(spec)):
            return _file(path, shape, pattern, text, found.values)
    return None


def _pattern(text: str) -> tuple[str, str]:
    """As much of a line as a pattern shall take, and the pattern."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition(" ")[0] or text[:_LONGEST]
    taken: set[str] = set()
    before = ""
    pattern = ""
    end = 0
    for word in _WORD.finditer(text):
        pattern += text[end : word.start()] + _word(word[0], before, taken)
        before, end = word[0], word.end()
    pattern = _PASSED_OVER_TWICE.sub(_PASSED_OVER, pattern)
    return text, pattern if pattern.startswith("{") else f"^{pattern}"


def _word(word: str, before: str, taken: set[str]) -> str:
    number = _NUMBER.fullmatch(word)
    if number is None:
        return _VARIES.sub(_PASSED_OVER, word)
    kind = "int" if re.fullmatch(TYPES["int"], number["number"]) else "num"
    name = _name(number["before"] or before, taken)
    taken.add(name)
    return f"{number['before']}{{{name}:{kind}}}{number['after']}"


def _name(word: str, taken: set[str]) -> str:
    """A name for a number behind `word`."""
    name = re.sub(r"[^a-z_]", "", normalise(word)).strip("_")
    # `no` and `null` are no texts to YAML
    if not isinstance(yaml.safe_load(name), str) or _DIGIT.search(word) or name in PLACE:
        name = "value"
    free = (f"{name}_{i}" for i in range(2, len(taken) + 3))
    return next(free_name for free_name in (name, *free) if free_name not in taken)


def _file(path: str, shape: Unread, pattern: str, text: str, values: Mapping[str, FieldValue]) -> str:
    # floats as YAML would take for text, 1e-05 and nan, are numbers to `formats test`
    gives = ", ".join(f"{name}: {value!r}" for name, value in values.items())
    target = ["    frame: metrics"] if values else ["    frame: events", f"    set: {{kind: {_KIND}}}"]
    return "\n".join(
        [
            f"# Line {shape.line} of {visible(path)}, of whose kind nobody reads {shape.records:,}.",
            "# Name the fields, in the pattern and in `gives` alike; docs/extending.md says what else can stand here.",
            f"# Then: postmortem formats test {NAME}.yaml && postmortem fields LOG --formats {NAME}.yaml",
            f"name: {NAME}",
            "title: what prints these lines",
            "source: where it prints them",
            "lines:",
            f"  - pattern: {_quoted(pattern)}",
            *target,
            f"    sample: {{text: {_quoted(text)}, gives: {{{gives}}}}}",
            "",
        ]
    )


def _quoted(text: str) -> str:
    """As a YAML scalar on one line, with nothing hidden in it."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
