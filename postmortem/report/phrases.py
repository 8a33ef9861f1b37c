"""Fixes, shares, spreads and jobs in words: every output says them alike."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from postmortem.report.numbers import figure, interval, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postmortem.compare.comparison import Side
    from postmortem.incident import Incident, Job
    from postmortem.replay.protocol import Fix, Replay, Verdict

#: Findings that a report shows with their evidence: more than all shipped rules can make.
FINDINGS: Final = 300


def distinct(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts in their order, each once: two findings may share a fix, and what is said of it is said once."""
    return list({(v.fix, v.claim, v.verdict, v.because): v for v in verdicts}.values())


def turn(fix: Fix) -> str:
    """A fix as `eps 1e-5 -> 1e-3`, without the old value where nobody knows it."""
    start = "" if fix.old is None else f"{figure(fix.old)} "
    return f"{fix.knob} {start}-> {figure(fix.new)}"


def share(replay: Replay) -> str:
    """In which part of the scenarios the claim holds, with its interval, or why there is no such part."""
    if replay.share is None:
        return "not reproduced" if replay.verdict == "not_reproduced" else "too few scenarios"
    if replay.share_low is None or replay.share_high is None:
        return percent(replay.share)
    return f"{percent(replay.share)} ({percent(replay.share_low)} to {percent(replay.share_high)})"


def spread(low: float, median: float, high: float) -> str:
    """A median with its interval."""
    return figure(median) if figure(low) == figure(high) else f"{figure(median)} ({interval(low, high)})"


def names(side: Incident | Side) -> str:
    """The names of a run's files."""
    return ", ".join(PurePath(log.path).name for log in side.logs)


def facts(job: Job) -> list[tuple[str, Any]]:
    """What is known of a job: name and value."""
    known = job.model_dump(exclude={"job"}, exclude_none=True)
    return [(name.replace("_", " "), value) for name, value in known.items()]
