"""`seff`: how well a job used what it was given. A block of lines a job."""

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
_LINE: Final = re.compile(r"([A-Z][\w/ -]{1,40}?): +(.+)")
_LONGEST: Final = 1_000
_STATE: Final = re.compile(r"(.*?)\s*(?:\(exit code (\d+)\))?")
_SHARE: Final = re.compile(r"([\d.]{1,20})% of (\S+(?: [KMGTPE]?B)?)")
_REMARK: Final = re.compile(r"\s*(?:WARNING|NOTE|Efficiency|GPU|The task which|Use of uninitialized|[-=]{3,})")
_KEYS: Final = frozenset(
    {"Job ID", "Array Job ID", "Cluster", "User/Group", "State", "Nodes", "Cores", "Cores per node", "CPU Utilized"}
    | {"CPU Efficiency", "Job Wall-clock time", "Memory Utilized", "Memory Efficiency"}
)


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """Nothing but seff's lines and its remarks, perhaps below a prompt."""
    return b"Job ID: " in head and _slurm.prints(
        head, "seff", lambda line: _pair(line)[0] in _KEYS or _REMARK.match(line) is not None
    )


def read(path: Path, rows: Rows) -> FileInfo:
    """A row a job, at the line of its id. Lines that are none of seff's are unread."""
    lines = Lines(path)
    unread = 0
    job: dict[str, str] = {}
    place = Place(str(path))
    for line in lines:
        key, value = _pair(line.text)
        if not (job or key == "Job ID") or key not in _KEYS:
            unread += bool(line.text.strip())
            continue
        if key == "Job ID":
            _job(rows, place, job)
            job, place = {}, Place(str(path), line=line.number, offset=line.offset, dialect="seff")
        job[key] = value
    _job(rows, place, job)
    info = lines.info("seff")
    info.unread_lines, info.dialects = unread, ["seff"]
    return info


def _pair(line: str) -> tuple[str, str]:
    """Key and value of a line; empty texts where it has none."""
    found = _LINE.fullmatch(line[:_LONGEST].strip())
    return (found[1], found[2]) if found else ("", "")


def _job(rows: Rows, place: Place, job: Mapping[str, str]) -> None:
    if not job:
        return
    place.job = job.get("Array Job ID", job["Job ID"])
    state = _STATE.fullmatch(job.get("State", ""))
    nodes = _slurm.whole(job.get("Nodes", "1"))
    cores = _slurm.whole(job.get("Cores", job.get("Cores per node", "")))
    each_node = "Cores per node" in job and nodes is not None and cores is not None
    memory, of = _share(job.get("Memory Efficiency", ""))
    columns = {
        "origin": "seff",
        **_slurm.outcome(state[1] if state else None, state[2] if state else None),
        "signal": None,  # seff does not say
        "user": job.get("User/Group", "").partition("/")[0] or None,
        "nodes": nodes,
        "cpus": cores * nodes if each_node and cores is not None and nodes is not None else cores,
        "elapsed_s": _slurm.seconds(job.get("Job Wall-clock time", "")),
        "cpu_s": _slurm.seconds(job.get("CPU Utilized", "")),
        "cpu_efficiency": _share(job.get("CPU Efficiency", ""))[0],
        "max_rss_bytes": _slurm.size(job.get("Memory Utilized", "").partition(" (")[0]),
        "memory_bytes": _slurm.size(of),
        "memory_efficiency": memory,
    }
    rows.other(place, "jobs", _slurm.filled(columns), {})


def _share(text: str) -> tuple[float | None, str]:
    """`95.70% of 64.00 GB` as 0.957 and what it is a share of."""
    found = _SHARE.match(text)
    try:
        return (float(found[1]) / 100, found[2]) if found else (None, "")
    except ValueError:
        return None, ""
