"""The check as a table: what could not be judged, what failed, and a line on all."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = (".txt",)
#: Characters of a line where no terminal says how many, and the fewest.
_WIDTH: Final = 140
_LEAST: Final = 60
#: Rows of runs that passed, and of others, unless all are asked for.
_FAILED: Final = 200
_RULE: Final = 42


def render(check: Check, target: Target) -> str:
    """Runs that passed are counted; `verbose` lists them too."""
    from postmortem.report.checks._rows import remarks, rows, totals
    from postmortem.report.escape import visible
    from postmortem.report.table import table

    tty = target.path is None and sys.stdout.isatty()
    width = max(_LEAST, shutil.get_terminal_size().columns) if tty else _WIDTH
    all_rows = rows(check)
    wanted = all_rows if target.verbose else [row for row in all_rows if row.state != "passed"][:_FAILED]
    cells = [
        (
            row.state,
            row.name,
            row.severity,
            row.rule[:_RULE],
            row.said + (f" (and {row.counting - 1:,} more)" if row.counting > 1 else ""),
        )
        for row in wanted
    ]
    lines = [visible(line, width) for line in table(cells, width)] if cells else []
    left = len([row for row in all_rows if row.state != "passed"]) - len(wanted)
    if left > 0:
        lines.append(f"... {left:,} rows more (--verbose lists all)")
    lines += ["", *(visible(remark, width) for remark in remarks(check)), totals(check)]
    return "\n".join(lines).lstrip("\n") + "\n"
