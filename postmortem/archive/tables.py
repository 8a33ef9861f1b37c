"""A judged run as rows of the archive's tables. Text is masked here: an archive is shared, and kept for long.

`run` is the digest of what the run's files hold; it stands in every table. Columns are told in `COLUMNS`; the frames
have theirs besides (`postmortem/frames.py`).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from postmortem import __version__, clock, frames
from postmortem.archive.hostlist import hosts
from postmortem.archive.index import place
from postmortem.report.mask import mask, scrub
from postmortem.rules.finding import SEVERITIES
from postmortem.summary import is_alarm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from postmortem.archive.places import Item
    from postmortem.archive.work import Outcome
    from postmortem.incident import Incident
    from postmortem.run import Run

TEXT: Final = pl.String()
_WHOLE: Final = pl.Int64()
_TIME: Final = pl.Datetime("us")

COLUMNS: Final[Mapping[str, Mapping[str, pl.DataType]]] = {
    # what was met, and when: a place whose files have changed has another run from then on
    "seen": {
        "place": TEXT,  # absolute path, or URL
        "files": TEXT,  # JSON: path, size, stamp of each
        "key": TEXT,  # program, rules, dialects by which it was judged
        "judged": _TIME,  # UTC
        "run": TEXT,
        "passed_over": TEXT,  # why it is no log
    },
    "kept": {
        "run": TEXT,
        "name": TEXT,  # as it was found first
        "key": TEXT,
        "judged": _TIME,
        "tool_version": TEXT,
        "problem": TEXT,  # why it could not be judged
        "accounts": pl.Boolean(),  # a scheduler's table of jobs, and no log of one
        "bytes": _WHOLE,
        "lines": _WHOLE,
        "unread_lines": _WHOLE,
        "failed": pl.Boolean(),  # it shows something of medium severity or above that nothing harmless explains
        "cause": TEXT,  # the primary root cause, `not established`, `no fault shown` or `not judged`
        "severity": TEXT,  # of its gravest finding
        "summary": TEXT,
        "started": _TIME,  # of its job, or its first time stamp; in the log's own zone
        "modified": _TIME,  # of its newest file
        "incident": TEXT,  # JSON, as `analyze --format json` gives it
    },
    "findings": {
        "run": TEXT,
        "rule": TEXT,
        "title": TEXT,
        "role": TEXT,
        "severity": TEXT,
        "confidence": TEXT,
        "message": TEXT,
        "file": TEXT,
        "line": _WHOLE,  # of its first piece of evidence
        "text": TEXT,
        "pieces": _WHOLE,
    },
    "verdicts": {
        "run": TEXT,
        "rule": TEXT,
        "knob": TEXT,
        "old": TEXT,
        "new": TEXT,
        "claim": TEXT,
        "verdict": TEXT,
        "basis": TEXT,
        "because": TEXT,
    },
    "run_jobs": {"run": TEXT, "job": TEXT},
    "job_nodes": {"job": TEXT, "node": TEXT},
}
_ACCOUNTS: Final = frozenset({"sacct", "sacct_json", "seff", "scontrol"})
_ALARMING: Final = "not established", "no fault shown", "not judged"


def schema(table: str) -> dict[str, pl.DataType]:
    """All columns of a table."""
    if table in COLUMNS:
        return dict(COLUMNS[table])
    return {"run": TEXT, **frames.schema(table)}


def names() -> list[str]:
    """All tables."""
    return [*COLUMNS, *frames.FRAMES]


def rows(item: Item, outcome: Outcome, run: Run | None, key: str, judged: dt.datetime) -> Iterator[tuple[str, Any]]:
    """Tables with their rows for one run: lists of mappings, or a frame."""
    seen = {
        "place": place(item),
        "files": json.dumps([asdict(file) for file in item.files]),
        "key": key,
        "judged": judged,
        "run": None if outcome.passed_over else outcome.digest,
        "passed_over": outcome.passed_over,
    }
    yield "seen", [seen]
    if outcome.passed_over or outcome.known:
        return
    kept = {
        "run": outcome.digest,
        "name": item.name,
        "key": key,
        "judged": judged,
        "tool_version": __version__,
        "problem": mask(outcome.problem) if outcome.problem else None,
        "accounts": False,
        "bytes": item.size,
        "cause": "not judged",
        "modified": _modified(item),
    }
    if outcome.incident is None or run is None:
        yield "kept", [kept]
        return
    incident = scrub(outcome.incident)
    jobs = _jobs(outcome.digest, run)
    yield "kept", [kept | _judged(incident, run, jobs)]
    yield "findings", list(_findings(outcome.digest, incident))
    yield "verdicts", list(_verdicts(outcome.digest, incident))
    ids = dict.fromkeys([*(job.job for job in incident.jobs), *jobs["job"].unique(maintain_order=True)])
    yield "run_jobs", [{"run": outcome.digest, "job": job} for job in ids]
    yield "job_nodes", list(_job_nodes(jobs))
    for name, frame in run.frames().items():
        own = jobs if name == "jobs" else _masked(name, frame)
        yield name, own.select(pl.lit(outcome.digest).alias("run"), *frames.schema(name))


def _judged(incident: Incident, run: Run, jobs: pl.DataFrame) -> dict[str, Any]:
    failed = any(is_alarm(finding) for finding in incident.findings)
    gravest = max((SEVERITIES.index(finding.severity) for finding in incident.findings), default=None)
    cause = incident.root_causes[0] if incident.root_causes else _ALARMING[not failed]
    return {
        "accounts": all(log.reader in _ACCOUNTS for log in incident.logs),
        "lines": sum(log.lines for log in incident.logs),
        "unread_lines": sum(log.unread_lines for log in incident.logs),
        "failed": failed,
        "cause": cause,
        "severity": None if gravest is None else SEVERITIES[gravest],
        "summary": " ".join(incident.summary),
        "started": _started(run, jobs),
        "incident": incident.model_dump_json(by_alias=True),
    }


def _findings(run: str, incident: Incident) -> Iterator[dict[str, Any]]:
    for finding in incident.findings:
        piece = finding.evidence[0] if finding.evidence else None
        yield {
            "run": run,
            **{name: getattr(finding, name) for name in ("rule", "title", "role", "severity", "confidence", "message")},
            "file": piece.file if piece else None,
            "line": piece.line if piece else None,
            "text": piece.text if piece else None,
            "pieces": finding.pieces,
        }


def _verdicts(run: str, incident: Incident) -> Iterator[dict[str, Any]]:
    for one in incident.verdicts:
        yield {
            "run": run,
            "rule": one.rule,
            "knob": one.fix.knob,
            "old": None if one.fix.old is None else str(one.fix.old),
            "new": str(one.fix.new),
            "claim": one.claim,
            "verdict": one.verdict,
            "basis": one.basis,
            "because": one.because,
        }


def _jobs(digest: str, run: Run) -> pl.DataFrame:
    """The frame `jobs`; what names no job is of the only one there is, or of one that goes by the run."""
    frame = run.jobs
    ids = frame["job"].drop_nulls().unique()
    only = ids[0] if len(ids) == 1 else f"run {digest[:12]}"
    return frame.with_columns(pl.col("job").fill_null(only))


def _job_nodes(jobs: pl.DataFrame) -> Iterator[dict[str, str]]:
    known = jobs.filter(pl.col("node").is_not_null()).select("job", "node").unique(maintain_order=True)
    found = {(job, host) for job, node in known.iter_rows() for host in hosts(node)}
    return ({"job": job, "node": node} for job, node in sorted(found))


def _masked(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame without the secrets that a log may echo."""
    if name == "settings":
        values = [
            mask(f'{key}="{value}"').removeprefix(f'{key}="').removesuffix('"') if value else value
            for key, value in frame.select("key", "value").iter_rows()
        ]
        return frame.with_columns(pl.Series("value", values, dtype=TEXT))
    if name == "events":
        texts = {text: mask(text) for column in ("message", "fields") for text in frame[column].drop_nulls().unique()}
        return frame.with_columns(
            pl.col(column).replace_strict(texts, default=pl.col(column), return_dtype=TEXT)
            for column in ("message", "fields")
        )
    return frame


def _started(run: Run, jobs: pl.DataFrame) -> dt.datetime | None:
    """When a run began, as far as its log tells."""
    stated = jobs.select(clock.seconds("start").alias("at"))["at"].drop_nulls()
    stamps = [
        frame.filter(pl.col("ts").is_not_null()).head(1).select(clock.seconds("ts").alias("at"))["at"].drop_nulls()
        for frame in (run.metrics, run.events, run.settings)
    ]
    at = next((float(found.min()) for found in (stated, *stamps) if len(found)), None)  # type: ignore[arg-type]
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC).replace(tzinfo=None)


def _modified(item: Item) -> dt.datetime | None:
    times = [int(file.stamp) for file in item.files if not file.remote and file.stamp.isdecimal()]
    return dt.datetime.fromtimestamp(max(times) / 1e9, dt.UTC).replace(tzinfo=None) if times else None
