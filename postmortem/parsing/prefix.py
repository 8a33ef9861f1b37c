"""What launchers and loggers put before a line: rank, time stamp, worker names, and this project's own marks."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_RANK: Final = re.compile(
    r"\[(?:rank|default|RANK:)\s?(?P<torchrun>[0-9]{1,5})\]:?\s?"
    r"|\[[\w.-]+:(?P<host>[0-9]{1,5})\]:\s?"
    r"|\[[0-9]+,(?P<mpi>[0-9]{1,5})\]<std(?:out|err)>:\s?"
    # a list of numbers after it, or what a booster measures: the counter of darknet or CatBoost, not a label
    r"|(?P<srun>[0-9]{1,5}): (?!-?[0-9.na]+, |\s*(?:learn|test):? )"
    r"|(?=(?:[A-Z]+ \[[\w.]+:[0-9]+\] )?\((?P<icefall>[0-9]{1,4})/[0-9]{1,4}\)\s)"
    r"|(?=\[?[Rr]ank[ :]?(?P<named>[0-9]{1,5})(?:\]|:\s))"
    # PM2's number and name of a process; a table's row may end with a bar
    r"|[0-9]{1,4}\|[A-Za-z][\w.-]{0,40}\s+\|\s(?!.*\|$)"
    # a table that was put into a comment
    r"|%\s(?=\|)"
    r"|\((?:\w+ )?(?:rank=[0-9]+, )?pid=[0-9]+[^)]{0,60}\)(?:\s+|$)"
)
#: Of a table's row, which ends with a bar, the first one is its own.
_GAP: Final = r"(?:-\s+|\|\s+(?!.*\|$))?"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?"
#: A date and a time of day, in the order of the world or of one of its parts; a time of day alone.
_TIME: Final = re.compile(
    rf"[\[(]?(?P<ts>(?:[0-9]{{4}}[-/.][0-9]{{2}}[-/.][0-9]{{2}}|[0-9]{{2}}[-/.][0-9]{{2}}(?:[-/.](?:[0-9]{{4}}|[0-9]{{2}}))?)"
    rf"[T ,_-]\s?{_CLOCK}(?:Z|\s?[+-][0-9]{{2}}:?[0-9]{{2}}|\s[AP]M)?)[\])]?[:,]?\s*{_GAP}"
    rf"|[IWEF](?P<absl>[0-9]{{4}} {_CLOCK})\s+[0-9]+ (?=[\w./-]+:[0-9]+\])"
    rf"|\[?(?P<named>(?:[A-Z][a-z]{{2}} )?[A-Z][a-z]{{2}} [ 0-9][0-9] {_CLOCK}(?: [0-9]{{4}})?)\]?[:,]?\s+{_GAP}"
    rf"|\[?(?P<clock>{_CLOCK})(?:\]:?\s*|\s+[-|]\s+|:?\s+)(?=[A-Za-z\[({{])"
)
#: What a logger puts before each line of a traceback that it was given as text, and what makes it a comment.
_LOGGED: Final = re.compile(
    r"(?:(?:INFO|WARNING|ERROR|CRITICAL|DEBUG) - [\w.]{1,60} - |\[(?:ERROR|CRITICAL)\]:? {1,2}"
    r"|(?:ERROR|CRITICAL)(?::(?:[\w.]{1,60}:)? ?| {1,4}(?:\| [\w.:<>]{1,80} - )?)|(?:#>?|//|>) )"
    r"(?=Traceback \(|\s+File \"|[A-Z][\w.]{0,60}(?:Error|Exception|Interrupt): )"
)
#: At the end of a line, which has so many characters.
_TAIL: Final = 16
_LAST: Final = re.compile(r"\.{3} rank (?P<rank>[0-9]{1,5})$")
_RECONSTRUCTED: Final = re.compile(r"#\s*reconstructed:\s*")


class Prefix(NamedTuple):
    """What stood before a line's body, and where. `reconstructed` marks a line that a person wrote from a report."""

    body: str
    rank: int | None
    ts: str | None
    reconstructed: bool
    at: int  # where the body begins
    rank_at: tuple[int, int] | None
    ts_at: tuple[int, int] | None


def split(text: str) -> Prefix:
    """Take rank and time stamp, in either order, off the front of a record."""
    rank: int | None = None
    ts: str | None = None
    rank_at = ts_at = None
    at = 0
    for _ in range(3):
        if rank is None and (found := _RANK.match(text, at)):
            if (group := found.lastgroup) is not None:
                rank, rank_at = int(found[group]), found.span(group)
        elif ts is None and (found := _TIME.match(text, at)):
            group = found.lastgroup or "ts"
            ts, ts_at = found[group], found.span(group)
        else:
            break
        at = found.end()
    if rank is None and (last := _LAST.search(text, max(0, len(text) - _TAIL))):
        rank, rank_at = int(last["rank"]), last.span("rank")
    if logged := _LOGGED.match(text, at):
        at = logged.end()
    mark = _RECONSTRUCTED.match(text, at)
    at = mark.end() if mark else at
    return Prefix(text[at:], rank, ts, mark is not None, at, rank_at, ts_at)
