"""A comparison as plain text: what differs, where the runs part, which findings came and went, what a change did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.compare.comparison import Comparison, Pair
    from postmortem.compare.runs import Compared
    from postmortem.report.comparisons import Target

SUFFIXES: Final = (".txt",)
_WIDTH: Final = 100
_CELL: Final = 36
#: Rows of a table, unless all is asked for.
_ROWS: Final = 12


def render(compared: Compared, target: Target) -> str:
    """A screen per pair of runs."""
    from postmortem.report.mask import scrub

    comparison = scrub(compared.comparison)
    rows = None if target.verbose else _ROWS
    return "\n".join(line for pair in comparison.pairs for line in _pair(comparison, pair, rows)) + "\n"


def _pair(comparison: Comparison, pair: Pair, rows: int | None) -> Iterator[str]:
    from postmortem.report.escape import visible
    from postmortem.report.paired import cells
    from postmortem.report.phrases import names, turn

    yield visible(f"{names(comparison.sides[pair.before])} -> {names(comparison.sides[pair.after])}", _WIDTH)
    yield ""
    for sentence in pair.summary:
        yield from _wrapped(sentence, "  ")
    for change in pair.changes:
        yield ""
        yield visible(f"{turn(change.fix)}   {change.verdict.replace('_', ' ')}", _WIDTH)
        for why in change.because:
            yield from _wrapped(why, "  ")
    for table in cells(pair):
        yield from _table(table.title, [table.heads, *table.rows], rows)
    yield ""


def _table(title: str, cells: list[list[str]], rows: int | None) -> Iterator[str]:
    from postmortem.report.table import table

    if len(cells) == 1:
        return
    yield ""
    yield title
    shown = cells if rows is None else cells[: rows + 1]
    for line in table(shown, _CELL):
        yield f"  {line}"
    if len(cells) > len(shown):
        yield f"  ... {len(cells) - len(shown):,} more; --verbose shows them"


def _wrapped(text: str, indent: str) -> list[str]:
    from textwrap import wrap

    from postmortem.report.escape import visible

    return wrap(visible(text, 2_000), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [""]
