"""A check as rows for people: the runs that need a look first, each in one line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from postmortem.report.mask import mask
from postmortem.rules.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.archive.judged import Judged
    from postmortem.check.logs import Check

_STATES = {0: "passed", 1: "failed", 2: "not judged"}


class Row(NamedTuple):
    """A run: how it came out, where, what counts most, and how many findings count and do not."""

    state: str
    name: str
    severity: str
    rule: str
    said: str
    counting: int
    known: int


def rows(check: Check) -> list[Row]:
    """What could not be judged first, then what failed, by severity; then the names."""
    found = [_row(run, check) for run in check.runs]
    order = ("not judged", "failed", "unreadable, allowed", "passed")
    return sorted(found, key=lambda row: (order.index(row.state), -_gravity(row), row.name))


def _gravity(row: Row) -> int:
    return SEVERITIES.index(row.severity) if row.severity in SEVERITIES else len(SEVERITIES)


def _row(run: Judged, check: Check) -> Row:
    code, counting = run.code(check.fail_on), run.counting(check.fail_on)
    known = len(run.known)
    if errors := run.errors():
        return Row(_STATES[code], run.name, "", "", mask(errors[0]), len(counting), known)
    if run.problem:
        return Row("unreadable, allowed", run.name, "", "", mask(run.problem), 0, 0)
    if run.broken:
        return Row(_STATES[code], run.name, "", "expectation", "; ".join(run.broken), len(counting), known)
    if counting:
        worst = max(counting, key=lambda finding: SEVERITIES.index(finding.severity))
        return Row(_STATES[code], run.name, worst.severity, worst.rule, mask(worst.message), len(counting), known)
    return Row(_STATES[code], run.name, "", "", "", 0, known)


def totals(check: Check) -> str:
    """One line: how many runs, and how they came out."""
    counts = Counter(row.state for row in rows(check))
    parts = [f"{len(check.runs):,} run{'' if len(check.runs) == 1 else 's'}"]
    parts += [f"{count:,} {state}" for state, count in sorted(counts.items())]
    parts.append(f"{check.read:,} read, {len(check.runs) - min(check.read, len(check.runs)):,} unchanged")
    return " · ".join(parts)


def remarks(check: Check) -> Iterator[str]:
    """What else is to be said: files that were passed over, and entries of the baseline that need a look."""
    yield from check.notes
    if check.passed_over:
        told = ", ".join(f"{count:,} {reason}" for reason, count in check.passed_over.most_common())
        yield f"passed over: {told}"
