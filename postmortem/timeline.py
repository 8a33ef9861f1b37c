"""What happened when: begin, findings, onsets, resumes, job states and ends, in the order of the log's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem.incident import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from postmortem.evidence import Lines
    from postmortem.incident import MomentKind
    from postmortem.rules.engine import Hit
    from postmortem.rules.finding import Finding

#: Moments that share a line stand in this order.
_ORDER: Final[tuple[MomentKind, ...]] = ("begin", "resume", "onset", "finding", "job", "end", "log_end")


class _Told(NamedTuple):
    """A moment before its place is looked up."""

    line: int  # numbered through the files of the run
    kind: MomentKind
    what: str
    ts: str | None = None
    rule: str | None = None


def moments(
    signals: Mapping[str, pl.DataFrame], lines: Lines, findings: Sequence[Finding], hits: Sequence[Hit]
) -> list[Moment]:
    """All that has a time. Findings that are mere context have none; each other one stands at its first line.

    `signals` and the lines of `hits` are numbered through the files of the run.
    """
    told = [
        *_course(signals["progress"]),
        *_starts(signals["attempts"]),
        *_resumes(signals["resumes"]),
        *_onsets(signals["onset"]),
        *_findings(findings, hits),
        *_jobs(signals["jobs"]),
        *(_Told(line, "log_end", "the log ends" + (" within a line" * log.truncated)) for line, log in lines.ends()),
    ]
    told = sorted(dict.fromkeys(told), key=lambda moment: (moment.line, _ORDER.index(moment.kind), moment.what))
    clock = _Clock(signals)
    found = []
    for moment in told:
        file, line = lines.place(moment.line)
        step, ts = clock.at(moment.line)
        found.append(
            Moment(
                kind=moment.kind, what=moment.what, file=file, line=line, step=step, ts=moment.ts or ts,
                rule=moment.rule,
            )
        )  # fmt: skip
    return found


def _course(progress: pl.DataFrame) -> Iterator[_Told]:
    if progress.is_empty():
        return
    lines = progress["line"]
    yield _Told(lines[0], "begin", "the training's first line of progress")
    yield _Told(lines[-1], "end", "the training's last line of progress")


def _starts(attempts: pl.DataFrame) -> Iterator[_Told]:
    for number, line in attempts.filter(pl.col("attempt") > 0).select("attempt", "line").iter_rows():
        yield _Told(line, "begin", f"attempt {number + 1} begins")


def _resumes(resumes: pl.DataFrame) -> Iterator[_Told]:
    columns = ("line", "step_before", "step_after", "restored")
    for line, before, after, restored in resumes.select(columns).iter_rows():
        from_where = " from a checkpoint" if restored else ""
        yield _Told(line, "resume", f"goes on at step {after:,}{from_where}; step {before:,} had been reached")


def _onsets(onset: pl.DataFrame) -> Iterator[_Told]:
    columns = ("line", "metric", "split", "kind", "before", "finite_after")
    for line, metric, split, kind, before, after in onset.select(columns).iter_rows():
        of = "" if split == "train" else f" of {split}"
        counts = f"{before:,} finite values stand before it, {after:,} after it"
        yield _Told(line, "onset", f"{metric}{of} is {kind} for the first time: {counts}")


def _findings(findings: Sequence[Finding], hits: Sequence[Hit]) -> Iterator[_Told]:
    first = {hit.rule.id: min(hit.lines, default=None) for hit in hits}
    for finding in findings:
        line = first[finding.rule]
        if finding.role != "context" and line is not None:
            yield _Told(line, "finding", finding.title, rule=finding.rule)


def _jobs(jobs: pl.DataFrame) -> Iterator[_Told]:
    rows = jobs.filter(pl.col("state").is_not_null() | pl.col("start").is_not_null() | pl.col("end").is_not_null())
    columns = ("line", "job", "step_id", "state", "node", "start", "end")
    for line, job, step, state, node, start, end in rows.drop_nulls("line").select(columns).iter_rows():
        name = f"job {job or 'unknown'}" + (f", step {step}" if step else "")
        if start:
            yield _Told(line, "job", f"{name} starts", start)
        if state or end:
            where = f" on {node}" if node else ""
            yield _Told(line, "job", f"{name}: {state or 'ends'}{where}", end)


class _Clock:
    """The step and the time that the log had told up to a line."""

    def __init__(self, signals: Mapping[str, pl.DataFrame]) -> None:
        told = signals["progress"].select("line", "step", "ts")
        self._lines = told["line"]
        self._steps, self._times = (told[name].forward_fill() for name in ("step", "ts"))
        events = signals["events"]
        self._own_steps, self._own_times = (
            dict(events.drop_nulls(["line", name]).select("line", name).iter_rows()) for name in ("step", "ts")
        )

    def at(self, line: int) -> tuple[int | None, str | None]:
        place = self._lines.search_sorted(line, "right") - 1
        step, ts = (self._steps[place], self._times[place]) if place >= 0 else (None, None)
        return self._own_steps.get(line, step), self._own_times.get(line, ts)
