"""`scontrol show job`: `Key=value` over many lines, or all on one (`-o`). A blank line or the next JobId ends a job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing.rows import Place
from postmortem.readers import _slurm
from postmortem.readers._lines import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = False
_HEAD: Final = re.compile(rb"^[ \t]*JobId=\d+ (?:Array\w+=\S+ |Het\w+=\S+ ){0,4}JobName=", re.MULTILINE)
#: A key; its value goes up to the next one: names and commands hold blanks.
_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Z][\w/:]{0,40})=")
_LONGEST: Final = 65_536


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """The first line of a job, perhaps below a prompt, and nothing but keys behind it."""
    own = _HEAD.search(head) is not None
    return own and _slurm.prints(head, "scontrol", lambda line: bool(_pairs(line)))


def read(path: Path, rows: Rows) -> FileInfo:
    """A row a job, at the line of its id. Lines without a key are unread."""
    lines = Lines(path)
    unread = 0
    job: dict[str, str] = {}
    place = Place(str(path))
    for line in lines:
        pairs = _pairs(line.text)
        if "JobId" in pairs:
            _job(rows, place, job)
            job, place = {}, Place(str(path), line=line.number, offset=line.offset, dialect="scontrol")
        if "JobId" in pairs or (job and pairs):
            job |= pairs
        else:
            unread += bool(line.text.strip())
    _job(rows, place, job)
    info = lines.info("scontrol")
    info.unread_lines, info.dialects = unread, ["scontrol"]
    return info


def _pairs(line: str) -> dict[str, str]:
    """Keys and values of a line that begins with a key; empty for another line."""
    text = line[:_LONGEST].strip()
    found = list(_KEY.finditer(text))
    if not found or found[0].start() > 0:
        return {}
    ends = [*(key.start() for key in found[1:]), len(text)]
    return {key[1]: text[key.end() : end].strip() for key, end in zip(found, ends, strict=True)}


def _job(rows: Rows, place: Place, job: Mapping[str, str]) -> None:
    if not job:
        return
    place.job = _identity(job)
    given = {key: stated for key, value in job.items() if (stated := _slurm.stated(value))}
    nodes, cpus = (_slurm.whole(given.get(key, "").partition("-")[0]) for key in ("NumNodes", "NumCPUs"))
    tres = given.get("AllocTRES") or given.get("TRES") or given.get("ReqTRES") or ""
    columns = {
        "origin": "scontrol",
        **_slurm.outcome(given.get("JobState"), given.get("ExitCode"), given.get("Reason")),
        "job_name": given.get("JobName"),
        "user": given.get("UserId", "").partition("(")[0] or None,
        "partition": given.get("Partition"),
        "node": given.get("NodeList") or given.get("BatchHost"),
        "start": given.get("StartTime"),
        "end": given.get("EndTime"),
        "limit": given.get("TimeLimit"),
        "limit_s": _slurm.seconds(given.get("TimeLimit", "")),
        "elapsed_s": _slurm.seconds(given.get("RunTime", "")),
        **_slurm.filled({"nodes": nodes, "cpus": cpus}),
        **_slurm.resources(tres),
    }
    rows.other(place, "jobs", _slurm.filled(columns), {})


def _identity(job: Mapping[str, str]) -> str:
    """The id as `sacct` prints it: `120_4` of an array, `120+1` of a het job."""
    if job.get("ArrayJobId") and job.get("ArrayTaskId", "").isdigit():
        return f"{job['ArrayJobId']}_{job['ArrayTaskId']}"
    if job.get("HetJobId") and job.get("HetJobOffset"):
        return f"{job['HetJobId']}+{job['HetJobOffset']}"
    return job["JobId"]
