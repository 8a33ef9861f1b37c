"""Line patterns: literal text with typed fields, `Layer {scope:int}: min={min:num}`, as regular expressions.

Literal text matches on its ASCII skeleton: any run of other characters stands for any such run or none, so that
mojibake and missing emoji do not matter. A pattern is found anywhere in a line unless it begins with `^`, and before
anything unless it ends with `$`. A field without a name, `{:any}`, is passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from postmortem.parsing.numbers import NUMBER, number, read

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Field types: the regular expression of each.
TYPES: Final = {
    "num": NUMBER,
    "int": r"[-+]?[0-9]{1,18}(?:,[0-9]{3}){0,4}(?![0-9])",  # what an Int64 column holds
    "percent": rf"(?:{NUMBER})\s?%",
    "word": r"[^\s,;:=()\[\]]+",
    "name": r"[^\s,;=()\[\]]+",
    "any": r".*?",
    "text": r"\S(?:.*?\S)?",
    "time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+",
    "bool": r"True|False|true|false|yes|no",
    "exception": r"(?:[A-Za-z_]\w*\.)*(?:[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Failure)|Exception)",
}
_FIELD: Final = re.compile(r"\{(?P<name>\w*):(?P<type>\w+)\}")
_DIGITS: Final = re.compile(r"[0-9]")
#: In an expression for a text, those of the text, not those by which a range of bytes is written.
_OWN_DIGITS: Final = re.compile(r"(?<!\\x)(?<!\\x[0-9])[0-9]")
_NOT_PRINTED: Final = re.compile(r"[^\x21-\x7e]+")
#: What stands before the first word: indentation, a bullet, a tick in whatever encoding.
_INDENT: Final = r"(?:[^\x00-\x7f]|[\s*>|-])*"
_INDENTED: Final = re.compile(_INDENT)
#: A word that is no part of that, at the beginning of a pattern that is tied to a line's.
_TIED: Final = re.compile(r"\^(?P<word>[^\s*>|\x7f-\U0010ffff-][\x21-\x7e]*)")
_OTHER: Final = r"[^\x00-\x7f]*"

FieldValue = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern was found, its fields by type, their text as printed, and where each stands."""

    start: int
    end: int
    values: dict[str, FieldValue]
    texts: dict[str, str]
    spans: dict[str, tuple[int, int]]


@dataclass(frozen=True, order=True)
class Numbered:
    """A literal text that holds digits, where any digits may stand."""

    text: str

    @property
    def pieces(self) -> list[str]:
        """Its pieces, with every digit as 0."""
        return _pieces([_DIGITS.sub("0", self.text)])

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        """One blank before it is as good as a thousand, of which each would be tried as the first."""
        expression = _OWN_DIGITS.sub("[0-9]", _literal(self.text))
        return re.compile(expression.replace(r"\s+", r"\s", int(self.text[0] in " \t")).encode())


class Pattern:
    """A compiled line pattern. ValueError for a field type that does not exist or a field named twice."""

    def __init__(self, template: str) -> None:
        self.template = template
        #: Literal text, a field's name, its type, literal text, and so on.
        self._parts = _FIELD.split(template.removesuffix("$"))
        names, kinds = self._parts[1::3], self._parts[2::3]
        self.types = {name: kind for name, kind in zip(names, kinds, strict=True) if name}
        for name, kind in zip(names, kinds, strict=True):
            if kind not in TYPES:
                raise ValueError(f"field {name!r} has type {kind!r}; there are {', '.join(TYPES)}")
            if name and names.count(name) > 1:
                raise ValueError(f"field {name!r} stands twice in {template!r}")
        literals = self._parts[::3]
        #: The pieces of its literal text in order: a line without one of them cannot match.
        self.pieces = _pieces(literals)
        #: The longest of them.
        self.needle = max(self.pieces, key=len, default="")
        tied = _TIED.match(literals[0])
        self._first_word = tied["word"] if tied else ""
        #: Its literal texts that hold digits, without the tie to a line's beginning.
        self.numbered = [Numbered(text.removeprefix("^")) for text in literals if _DIGITS.search(text)]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        # most patterns of most dialects meet no line of a log: compiling all takes longer than reading a short one
        literals, names, kinds = self._parts[::3], self._parts[1::3], self._parts[2::3]
        fields = [_field(name, kind, place) for place, (name, kind) in enumerate(zip(names, kinds, strict=True))]
        expression = "".join(text + field for text, field in zip(map(_literal, literals), [*fields, ""], strict=True))
        if literals[0].startswith("^"):
            expression = f"^{_INDENT}" + expression.removeprefix(re.escape("^"))
        elif not literals[0]:
            expression = r"(?<!\S)" + expression
        elif literals[0][0].isalnum():
            expression = r"(?<![A-Za-z0-9_])" + expression
        if self.template.endswith("$"):
            expression += r"\s*$"
        elif self.types and not literals[-1] and list(self.types.values())[-1] == "text":
            expression += "$"
        return re.compile(expression)

    def may_stand_in(self, text: str) -> bool:
        """Whether all of its literal text is there, in order. Fields tried in vain in a long line take minutes."""
        at = 0
        for piece in self.pieces:
            at = text.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return not self._first_word or text.startswith(self._first_word, _INDENTED.match(text).end())  # type: ignore[union-attr]  # it matches nothing too

    def find(self, text: str) -> Iterator[Match]:
        """Every place in `text` where the pattern stands, its numbers read. Fields that do not read: no match."""
        if not self.may_stand_in(text):
            return
        for found in self._compiled.finditer(text):
            texts = {name: value for name in self.types if (value := found[name]) is not None}
            try:
                values = {name: typed(self.types[name], value) for name, value in texts.items()}
            except ValueError:
                continue
            spans = {name: found.span(name) for name in texts}
            yield Match(found.start(), found.end(), values, texts, spans)


def _field(name: str, kind: str, place: int) -> str:
    """The expression of a field, the n-th of its pattern."""
    numeric = {"num": "{}", "percent": r"{}\s?%"}.get(kind)
    expression = numeric.format(number(f"_{place}")) if numeric else TYPES[kind]
    return f"(?P<{name}>{expression})" if name else f"(?:{expression})"


def skeleton(text: str) -> str:
    """`text` with every run of non-ASCII characters as one `?`: the same for all mojibakes of one text."""
    return re.sub(r"[^\x00-\x7f]+", "?", text)


def _literal(text: str) -> str:
    parts = re.split(r"([^\x00-\x7f]+)", text)
    escaped = "".join(re.escape(part) if part.isascii() else _OTHER for part in parts)
    return re.sub(r"(?:\\\s)+", r"\\s+", escaped)


def _pieces(literals: list[str]) -> list[str]:
    """The pieces of literal ASCII text between fields, blanks and other characters, in order."""
    pieces = [piece for literal in literals for piece in _NOT_PRINTED.split(literal)]
    pieces[0] = pieces[0].removeprefix("^")
    return [piece for piece in pieces if piece]


def typed(kind: str, text: str) -> FieldValue:
    """The value of a field of this type as printed. ValueError where it is none."""
    match kind:
        case "num":
            return read(text)
        case "int":
            return int(text.replace(",", ""))
        case "percent":
            # by its digits: 13.42 % is the float 0.1342, which 13.42 / 100 is not
            return float(f"{read(text.rstrip('% '))!r}e-2")
        case "bool":
            return text.lower() in {"true", "yes"}
        case _:
            return text
