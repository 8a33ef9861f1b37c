"""A page of text for a terminal: headings, and paragraphs with a hanging indent, as wide as there is room."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Final, Self

from postmortem.report.escape import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from postmortem.report.registry import Target

#: Characters of a line where no terminal says how many.
_WIDTH: Final = 100
#: The fewest that a line and a hanging one are given, however far in they stand.
_LEAST: Final = 20
_LEAST_HANGING: Final = 10
#: Characters of any text, so that a hostile one costs nothing.
LONGEST: Final = 2_000
STYLES: Final = {
    "confirmed": "green", "refuted": "red", "inconclusive": "yellow", "not reproduced": "magenta",
    "held": "green", "broken": "red", "not seen": "yellow",
}  # fmt: skip


class Page:
    """Prints to a console; every text is made harmless as it comes in."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @classmethod
    def of(cls, target: Target) -> Self:
        """A page whose `text` goes to a target: as wide and coloured as a terminal is, plain elsewhere."""
        from rich.console import Console

        tty = target.path is None and sys.stdout.isatty()
        width = Console().width if tty else _WIDTH
        return cls(Console(file=StringIO(), force_terminal=tty, width=width, highlight=False))

    def text(self) -> str:
        """All lines of a page for a target."""
        assert isinstance(self._console.file, StringIO)  # noqa: S101 - as `of` made it
        return self._console.file.getvalue()

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def heading(self, title: str, rest: str = "") -> None:
        """A line of its own, after an empty one where it is not the first."""
        from rich.text import Text

        if self._console.file.tell():
            self.blank()
        self.paragraph(rest, start=Text(f"{visible(title, LONGEST)}  ", "bold"), indent=2)

    def line(self, text: str, *, indent: int = 2, label: str = "", word: str = "", style: str = "") -> None:
        """A paragraph behind a label and a word of `STYLES`; what does not fit goes on further in."""
        from rich.text import Text

        start = Text(" " * indent, style).append(visible(label, LONGEST)).append(word, STYLES.get(word.strip(), ""))
        self.paragraph(text, start=start, indent=indent + 4, style=style)

    def paragraph(
        self, text: str, *, indent: int, start: Text | None = None, style: str = "", lines: int | None = None
    ) -> None:
        """`text` behind `start`, wrapped with a hanging `indent`, in `lines` lines at most."""
        from rich.text import Text

        whole = Text.assemble(start or Text(" " * indent), (visible(text, LONGEST), style))
        room = max(_LEAST, self._console.width)
        first = whole.wrap(self._console, room)[0]
        wrapped = [first]
        rest = whole[len(first) :]
        rest = rest[len(rest) - len(rest.plain.lstrip()) :]
        if rest:
            hanging = rest.wrap(self._console, max(_LEAST_HANGING, room - indent))
            wrapped += [Text.assemble(" " * indent, line) for line in hanging]
        if lines is not None and len(wrapped) > lines:
            # of a line alone as much as there is room for, also of a text without a blank
            last = whole.copy() if lines == 1 else wrapped[lines - 1]
            last.truncate(room - 1)
            last.rstrip()
            last.append("…", style)
            wrapped = [*wrapped[: lines - 1], last]
        for line in wrapped:
            line.rstrip()
            self._console.print(line, no_wrap=True, crop=False, overflow="ignore")
