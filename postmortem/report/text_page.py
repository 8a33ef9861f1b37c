"""A page of text for a terminal: headings, and paragraphs with a hanging indent, as wide as there is room."""

from __future__ import annotations

import sys
import textwrap
from io import StringIO
from typing import TYPE_CHECKING, Final

from postmortem.report.escape import cut, visible

if TYPE_CHECKING:
    from rich.text import Text

    from postmortem.report.registry import Target

#: Characters of a line where no terminal says how many.
_WIDTH: Final = 100
_LONGEST: Final = 2_000  # characters of any text, so that a hostile one costs nothing
STYLES: Final = {
    "confirmed": "green", "refuted": "red", "inconclusive": "yellow", "not reproduced": "magenta",
    "held": "green", "broken": "red", "not seen": "yellow",
}  # fmt: skip


class Page:
    """Collects lines; every text is made harmless as it comes in."""

    def __init__(self, target: Target) -> None:
        from rich.console import Console

        tty = target.path is None and sys.stdout.isatty()
        self._shown = StringIO()
        self._console = Console(
            file=self._shown, force_terminal=tty, width=Console().width if tty else _WIDTH, highlight=False
        )

    def heading(self, title: str, rest: str = "") -> None:
        """A line of its own, after an empty one."""
        from rich.text import Text

        if self._shown.tell():
            self._console.print()
        self._lines(Text(f"{visible(title, _LONGEST)}  ", "bold"), rest, 2)

    def line(self, text: str, *, indent: int = 2, label: str = "", word: str = "", style: str = "") -> None:
        """A paragraph behind a label and a word of `STYLES`; what does not fit goes on further in."""
        from rich.text import Text

        start = Text(" " * indent)
        start.append(visible(label, _LONGEST))
        start.append(word, STYLES.get(word.strip(), ""))
        self._lines(start, text, indent + 4, style)

    def text(self) -> str:
        """All lines."""
        return self._shown.getvalue()

    def _lines(self, start: Text, text: str, indent: int, style: str = "") -> None:
        from rich.text import Text

        wrapped = textwrap.wrap(
            start.plain + cut(visible(text, _LONGEST), _LONGEST),
            max(40, self._console.width),
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        for place, one in enumerate(wrapped):
            line = Text(one, style)
            if place == 0:
                for span in start.spans:
                    line.stylize(span.style, span.start, min(span.end, len(line)))
            line.rstrip()
            self._console.print(line, no_wrap=True, crop=False, overflow="ignore")
