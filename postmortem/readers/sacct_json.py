"""`sacct --json` and `scontrol show job --json` of Slurm 21.08 to 25.05: jobs, those of sacct with their steps.

Numbers are bare or wrapped, states words or lists, as the version has it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _json, _slurm
from postmortem.readers._records import utc

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = False
_HEAD: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*\"(?:meta|jobs|errors|warnings)\"\s*:")
_JOBS: Final = re.compile(r'"jobs"\s*:\s*\[')
_SLURM: Final = re.compile(rb'"[Ss]lurm"\s*:|"job_id"\s*:|"association"\s*:|"derived_exit_code"\s*:')
_MIB: Final = 2**20


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """An object of Slurm's with a list of jobs."""
    return bool(_HEAD.match(head) and re.search(rb'"jobs"\s*:\s*\[', head) and _SLURM.search(head))


def read(path: Path, rows: Rows) -> FileInfo:
    """A row a job and one a step, at the line where the job begins. What is no job is unread."""
    document = _json.Document(path)
    unread = told = 0
    for item in document.items(_JOBS):
        job = item.value if isinstance(item.value, dict) else {}
        number = _whole(job.get("job_id"))
        if number is None:
            unread += 1
            continue
        told += 1
        place = Place(str(path), job=_identity(job, number), line=item.line, offset=item.offset, dialect="sacct_json")
        columns = _controlled(job) if "job_state" in job else _job(job)
        rows.other(place, "jobs", _slurm.filled(columns), {})
        for step in _list(job.get("steps")):
            if isinstance(step, dict):
                rows.other(place, "jobs", _slurm.filled(_step(step, place.job or "")), {})
    if not told:
        raise PostmortemError(f"{path}: no job in its list of jobs; give sacct -j the job's id")
    info = document.info("sacct_json")
    info.unread_lines, info.dialects = unread, ["sacct_json"]
    return info


def _job(job: dict[str, Any]) -> dict[str, object]:
    required = _dict(job.get("required"))
    tres = _dict(job.get("tres"))
    minutes = _json.number(_dict(job.get("time")).get("limit"))
    return {
        **_common(job),
        "reason": _slurm.stated(_text(_dict(job.get("state")).get("reason"))),
        "job_name": _text(job.get("name")),
        "user": _text(job.get("user")) or _text(_dict(job.get("association")).get("user")),
        "partition": _text(job.get("partition")),
        "node": _slurm.stated(_text(job.get("nodes"))),
        "nodes": _whole(job.get("allocation_nodes")),
        "cpus": _whole(required.get("CPUs")),
        "limit_s": None if minutes is None else 60.0 * minutes,
        **_slurm.filled(_resources(tres.get("requested"))),
        **_slurm.filled(_resources(tres.get("allocated"))),
    }


def _controlled(job: dict[str, Any]) -> dict[str, object]:
    """A job as the controller tells of it, in other words than the accounts."""
    minutes, code = _json.number(job.get("time_limit")), job.get("exit_code")
    # older versions give the status of wait(2) instead of its parts
    status = None if isinstance(code, dict) and "return_code" in code else _whole(code)
    parts = {} if status is None else {"return_code": str(status >> 8), "signal": {"id": str(status & 127)}}
    time = {"start": job.get("start_time"), "end": job.get("end_time")}
    return {
        **_common({"state": job["job_state"], "exit_code": parts or code, "time": time}),
        "origin": "scontrol",
        "reason": _slurm.stated(_text(job.get("state_reason"))),
        "job_name": _text(job.get("name")),
        "user": _text(job.get("user_name")),
        "partition": _text(job.get("partition")),
        "node": _slurm.stated(_text(job.get("nodes"))),
        "nodes": _whole(job.get("node_count")),
        "cpus": _whole(job.get("cpus")),
        "limit_s": None if minutes is None else 60.0 * minutes,
        **_slurm.resources(_text(job.get("tres_alloc_str")) or _text(job.get("tres_req_str")) or ""),
    }


def _step(step: dict[str, Any], job: str) -> dict[str, object]:
    named, nodes = _dict(step.get("step")), _dict(step.get("nodes"))
    identity = named.get("id")
    suffix = _text(identity.get("step_id")) if isinstance(identity, dict) else _text(identity)
    suffix = (suffix or _text(named.get("name")) or "").rpartition(".")[2]
    used = _dict(_dict(step.get("tres")).get("requested"))
    memory = [_whole(part.get("count")) for part in _list(used.get("max")) if _dict(part).get("type") == "mem"]
    processor = [
        _json.number(part.get("count")) for part in _list(used.get("average")) if _dict(part).get("type") == "cpu"
    ]
    total = _dict(_dict(step.get("time")).get("total"))
    return {
        **_common(step),
        "step_id": f"{job}.{suffix}",
        "job_name": _text(named.get("name")),
        "node": _text(nodes.get("range")),
        "nodes": _whole(nodes.get("count")),
        "max_rss_bytes": next(iter(memory), None),
        "ave_cpu_s": None if not processor or processor[0] is None else processor[0] / 1000,  # milliseconds
        "cpu_s": _json.number(total.get("seconds")),
        **_slurm.filled(_resources(_dict(step.get("tres")).get("allocated"))),
    }


def _common(part: dict[str, Any]) -> dict[str, object]:
    """What jobs and steps tell alike."""
    state, code, time = part.get("state"), _dict(part.get("exit_code")), _dict(part.get("time"))
    current = state.get("current") if isinstance(state, dict) else state
    word = next((_text(one) for one in _list(current)), None) if isinstance(current, list) else _text(current)
    signal = _dict(code.get("signal"))
    return {
        "origin": "sacct",
        "state": _slurm.state(word or "")[0],
        "exit_code": _whole(code.get("return_code")),
        "signal": _whole(signal.get("id", signal.get("signal_id"))) or (0 if "return_code" in code else None),
        "start": _moment(time.get("start")),
        "end": _moment(time.get("end")),
        "elapsed_s": _json.number(time.get("elapsed")),
    }


def _resources(tres: object) -> dict[str, object]:
    """A list of {type, name, count}; memory in MiB."""
    counts: dict[str, object] = {}
    for part in map(_dict, _list(tres)):
        count, kind = _whole(part.get("count")), part.get("type")
        if count is None or count < 0:
            continue
        if kind == "gres" and str(part.get("name", "")).partition(":")[0] == "gpu":
            counts["gpus"] = count if part.get("name") == "gpu" else counts.get("gpus", count)
        elif kind == "mem" and count < 2**40:
            counts["memory_bytes"] = count * _MIB
        elif kind in {"cpu", "node"}:
            counts[f"{kind}s"] = count
    return counts


def _identity(job: dict[str, Any], number: int) -> str:
    array, het = _dict(job.get("array")), _dict(job.get("het"))
    first, task = (_whole(array.get(key, job.get(f"array_{key}"))) for key in ("job_id", "task_id"))
    if first and task is not None:
        return f"{first}_{task}"
    first, offset = (_whole(het.get(f"job_{key}", job.get(f"het_job_{key}"))) for key in ("id", "offset"))
    return f"{first}+{offset or 0}" if first else str(number)


def _moment(value: object) -> str | None:
    """Seconds since 1970, 0 for never, as a time stamp in UTC."""
    number = _json.number(value)
    return utc(number) if number else None


def _whole(value: object) -> int | None:
    number = _json.number(value)
    return int(number) if number is not None and abs(number) < 2**62 and number.is_integer() else None


def _text(value: object) -> str | None:
    return value or None if isinstance(value, str) else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
