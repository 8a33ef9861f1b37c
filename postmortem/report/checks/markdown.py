"""The check as markdown: the summary of a step, or a comment. Short enough for what GitHub takes, a mebibyte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = (".md", ".markdown")
_ROWS: Final = 500
_CELL: Final = 300


def render(check: Check, target: Target) -> str:
    """A table of what did not pass; `verbose` lists what did too."""
    from postmortem.report.checks._rows import remarks, rows, totals
    from postmortem.report.escape import code, markdown

    verdict = {0: "passed", 1: "failed", 2: "could not judge all runs"}[check.code]
    lines = [f"## postmortem: {verdict}", "", totals(check), ""]
    wanted = [row for row in rows(check) if target.verbose or row.state != "passed"]
    if wanted:
        lines += ["| | run | severity | finding | what it shows |", "| --- | --- | --- | --- | --- |"]
    for row in wanted[:_ROWS]:
        said = row.said + (f" (and {row.counting - 1:,} more)" if row.counting > 1 else "")
        cells = (row.state, code(row.name, _CELL), row.severity, code(row.rule, _CELL), markdown(said, _CELL))
        lines.append(f"| {' | '.join(cells)} |")
    if len(wanted) > _ROWS:
        lines.append(f"\n{len(wanted) - _ROWS:,} rows more are left out.")
    lines += [f"\n{markdown(remark, _CELL)}" for remark in remarks(check)]
    return "\n".join(lines).rstrip() + "\n"
