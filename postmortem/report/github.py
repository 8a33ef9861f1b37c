"""Findings as annotations of a GitHub workflow: `::error file=...,line=...::...` lines, which its log turns into notes.

GitHub shows ten of a kind and step: the gravest stand first, and the last line says how many are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.report.escape import visible
from postmortem.report.mask import mask, scrub
from postmortem.rules.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.archive.judged import Judged
    from postmortem.rules.finding import Severity

_LEVELS: Final = {"info": "notice", "low": "notice", "medium": "warning", "high": "error", "critical": "error"}
_MOST: Final = 50
_TEXT: Final = 1_000


def render(runs: Sequence[Judged], fail_on: Severity) -> str:
    """A line for each finding that counts, each broken expectation, and each run that could not be judged."""
    lines = [line for _, line in sorted(_annotations(runs, fail_on), key=lambda found: -found[0])]
    if len(lines) > _MOST:
        lines[_MOST:] = [f"::notice title=postmortem::{len(lines) - _MOST:,} more annotations are left out"]
    return "".join(f"{line}\n" for line in lines)


def _annotations(runs: Sequence[Judged], fail_on: Severity) -> Iterator[tuple[int, str]]:
    """Gravity and line."""
    gravest = len(SEVERITIES)
    for run in runs:
        for error in run.errors():
            yield gravest, _annotation("error", run.name, None, "not judged", error)
        for broken in run.broken:
            yield gravest, _annotation("error", run.name, None, "expectation", broken)
        counting = run.counting(fail_on)
        # all of a log's findings are scrubbed only where there are some to show
        shown = {finding.rule: finding for finding in scrub(run.incident).findings} if counting and run.incident else {}
        for finding in (shown[one.rule] for one in counting):
            piece = finding.evidence[0] if finding.evidence else None
            file, line = (piece.file, piece.line) if piece else (run.name, None)
            gravity, level = SEVERITIES.index(finding.severity), _LEVELS[finding.severity]
            yield gravity, _annotation(level, file, line, finding.rule, finding.message)


def _annotation(level: str, file: str, line: int | None, title: str, message: str) -> str:
    place = f"file={_property(file)}" + (f",line={line}" if line else "")
    return f"::{level} {place},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Text in which no command of the runner can begin: it takes one at the start of a line, and undoes these codes."""
    return visible(mask(text), _TEXT).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
