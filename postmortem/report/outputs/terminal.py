"""The first screen: as wide and coloured as the terminal is, plain elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.report.outputs import Target
    from postmortem.run import Run

SUFFIXES: Final = (".txt",)
#: Characters of a line where no terminal says how many.
_WIDTH: Final = 100


def render(incident: Incident, run: Run | None, target: Target) -> str:
    """What fits one screen, or all that there is to say."""
    from io import StringIO

    from rich.console import Console

    from postmortem.report import terminal

    del run
    shown = StringIO()
    tty = target.path is None and sys.stdout.isatty()
    console = Console(file=shown, force_terminal=tty, width=Console().width if tty else _WIDTH)
    terminal.render(incident, console, verbose=target.verbose)
    return shown.getvalue()
