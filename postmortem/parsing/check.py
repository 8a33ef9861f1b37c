"""Whether a dialect does what it says: each pattern against its sample, and against patterns that claim too much."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from postmortem.parsing.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.parsing.dialect import Dialect, Sample

_FIELD: Final = re.compile(r"\{\w*:(\w+)\}")
#: Fewer characters of literal text stand in nearly any line, unless a field's own letters tell the line from others.
_FEWEST: Final = 2
_TELLING: Final = "exception"

#: Where a pattern stands in its file, the pattern, and its sample.
Written = tuple[tuple[str | int, ...], str, "Sample"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A pattern that was tried: where it stands in its file, and what is wrong with it, a line each."""

    place: tuple[str | int, ...]
    pattern: str
    sample: Sample
    problems: tuple[str, ...]


def check(dialect: Dialect) -> list[Tried]:
    """Every pattern of a dialect. All is well where none of them has problems."""
    tried = _try_all(
        [
            *((("lines", i, "pattern"), line.pattern, line.sample) for i, line in enumerate(dialect.lines)),
            *((("blocks", i, "starts"), block.starts, block.sample) for i, block in enumerate(dialect.blocks)),
        ]
    )
    for i, block in enumerate(dialect.blocks):
        parts = [
            (("blocks", i, "lines", j, "pattern"), part.pattern, part.sample) for j, part in enumerate(block.lines)
        ]
        tried += _try_all(parts, inside=True)
    return tried


def _try_all(patterns: Sequence[Written], *, inside: bool = False) -> list[Tried]:
    """Patterns that compete for the same lines; those inside a block meet no other lines than the block's."""
    shapes = Counter(_FIELD.sub(r"{\1}", pattern) for _, pattern, _ in patterns)
    tried = []
    for place, pattern, sample in patterns:
        problems = list(_misread(pattern, sample))
        if shapes[_FIELD.sub(r"{\1}", pattern)] > 1:
            problems.append("stands twice in this file, and only the first is ever read; remove one")
        if next(Pattern(pattern).find(""), None) is not None:
            problems.append("matches an empty line; give it a field or text that cannot be empty")
        elif not inside and len(_literal(pattern)) < _FEWEST and _TELLING not in Pattern(pattern).types.values():
            problems.append(f"matches nearly any line; give it {_FEWEST} characters of literal ASCII text or more")
        tried.append(Tried(place, pattern, sample, tuple(problems)))
    return tried


def _misread(pattern: str, sample: Sample) -> Iterator[str]:
    found = next(Pattern(pattern).find(sample.text), None)
    if found is None:
        yield "does not match its sample"
        return
    for name in dict.fromkeys([*sample.gives, *found.values]):
        written, read = sample.gives.get(name), found.values.get(name)
        if not _same(written, read):
            expected, got = ("nothing" if value is None else repr(value) for value in (written, read))
            yield f"{name}: expected {expected}, read {got}"


def _same(written: object, read: object) -> bool:
    """Equal in type and value; nan is nan. YAML takes 1e-05, nan and inf for text."""
    if isinstance(read, float) and isinstance(written, str):
        try:
            written = float(written)
        except ValueError:
            return False
    return type(written) is type(read) and (written == read or (written != written and read != read))  # noqa: PLR0124 - nan


def _literal(pattern: str) -> str:
    """The visible ASCII characters outside the fields: what a line must hold."""
    return re.sub(r"[^\x21-\x7e]", "", _FIELD.sub("", pattern.removeprefix("^")))
