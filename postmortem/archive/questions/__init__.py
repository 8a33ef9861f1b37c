"""Questions to an archive that have a name: `nodes.sql` is `archive query STORE nodes`, and is found by being there.

A file is comments, the first a title and the others what it counts, and one SELECT over the views of `views.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from postmortem.errors import PostmortemError, did_you_mean


@dataclass(frozen=True, slots=True)
class Question:
    """A named question."""

    name: str
    title: str
    about: str
    query: str


def names() -> list[str]:
    """All of them, sorted."""
    return sorted(path.stem for path in _folder().glob("*.sql"))


def load(name: str) -> Question:
    """The question of that name. PostmortemError where there is none."""
    if name not in names():
        raise PostmortemError(f"no question {name!r}{did_you_mean(name, names())}; there are {', '.join(names())}")
    text = (_folder() / f"{name}.sql").read_text("utf-8")
    said = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    return Question(name, said[0], " ".join(said[1:]), text)


def _folder() -> Path:
    return Path(__file__).parent
