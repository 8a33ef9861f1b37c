"""Kinds of records of a log: what each of them gives, how many there are, and where the first stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from postmortem.parsing.shapes import MASK

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from postmortem.parsing.template import Template

#: Bytes of a record that are kept as an example.
EXAMPLE: Final = 400
#: Kinds of records without a template; those of further kinds are counted together.
MOST_ALONE: Final = 10_000


@dataclass(slots=True)
class Kind:
    """Records that are understood alike: where the first stands and how it begins, and how many there are."""

    template: Template
    line: int
    state: int  # of the line, from 0
    record: bytes
    records: int = 0
    tabled: int = 0  # of these, those that the heading of a table made its rows

    @property
    def place(self) -> tuple[int, int]:
        """Where the first one stands."""
        return self.line, self.state

    @property
    def text(self) -> str:
        """The beginning of the first record; bytes that are no UTF-8 as U+FFFD."""
        text = self.record.decode("utf-8", "replace")
        return text.rstrip("\ufffd") if len(self.record) == EXAMPLE else text  # a character that was cut


@dataclass(slots=True)
class Seen:
    """The kinds of records of one log, in bounded memory."""

    _kinds: dict[Hashable, Kind] = field(default_factory=dict)
    _alone: int = 0

    @property
    def kinds(self) -> Iterable[Kind]:
        """All kinds."""
        return self._kinds.values()

    def records(self, key: Hashable) -> int:
        """How many records are of one kind."""
        return self._kinds[key].records if key in self._kinds else 0

    def meet(self, key: Hashable, template: Template, line: int, state: int, record: bytes) -> None:
        """The first record of a kind; it is not counted by this. Of a kind that was met before, nothing."""
        if key not in self._kinds:
            self._kinds[key] = Kind(template, line, state, record[:EXAMPLE])

    def count(self, key: Hashable, records: int = 1) -> None:
        """So many records more of a kind that was met."""
        self._kinds[key].records += records

    def tabled(self, key: Hashable) -> None:
        """One of the records of a kind that was met is a row of a table."""
        self._kinds[key].tabled += 1

    def add_alone(self, template: Template, line: int, state: int, record: bytes) -> None:
        """A record that no template is remembered for: its kind is what read it, else how its line begins."""
        key: Hashable = template.patterns or record[:EXAMPLE].translate(MASK)
        if key not in self._kinds:
            self._alone += 1
            if self._alone > MOST_ALONE:
                key = ("others", template.read)
        self.meet(key, template, line, state, record)
        self.count(key)
