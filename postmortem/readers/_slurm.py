"""SLURM's own spellings: job ids, states, exit codes, durations, sizes, allocated resources."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from postmortem.readers._lines import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: All states of src/common/slurm_protocol_defs.c that a table may hold.
# fmt: off
_STATES: Final = (
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "COMPLETING", "CONFIGURING", "DEADLINE", "FAILED", "LAUNCH_FAILED",
    "NODE_FAIL", "OUT_OF_MEMORY", "PENDING", "PREEMPTED", "RECONFIG_FAIL", "REQUEUED", "REQUEUE_FED",
    "REQUEUE_HOLD", "RESIZING", "RESV_DEL_HOLD", "REVOKED", "RUNNING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT",
    "STOPPED", "SUSPENDED", "TIMEOUT",
)
# fmt: on
#: What stands where there is nothing.
_NOTHING: Final = frozenset({"", "none", "unknown", "n/a", "(null)", "none assigned", "invalid"})
_DURATION: Final = re.compile(r"(?:(\d{1,9})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9}(?:\.\d{1,9})?)")
_SIZE: Final = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s?([KMGTPE]?)(?:i?B)?([nc]?)", re.IGNORECASE)
_ID: Final = re.compile(r"(\d{1,18}(?:_(?:\d{1,9}|\[[^\]]{1,80}\]))?(?:\+\d{1,9})?)(?:\.([\w+]{1,40}))?")
_POWERS: Final = {unit: 1024**power for power, unit in enumerate(("", "K", "M", "G", "T", "P", "E"))}
_LARGEST: Final = 2**62


class JobId(NamedTuple):
    """`123_4.batch`: the job with its array task or het component, and the step by its full name, if it is one."""

    job: str
    step_id: str | None


def prints(head: bytes, command: str, own: Callable[[str], bool]) -> bool:
    """True for a file of one command's output: every line is its own, below the prompt that called it.

    A log that begins with such a table, as job scripts print it, is a text log.
    """
    lines = texts(head)
    while lines and command in lines[0] and not own(lines[0]):
        del lines[0]
    return bool(lines) and all(own(line) for line in lines)


def job_id(text: str) -> JobId | None:
    """The job and step of an id; None for what is none."""
    found = _ID.fullmatch(text.strip())
    if found is None:
        return None
    step = found[2]
    if step and step.endswith("+"):
        step = next((name for name in ("batch", "extern", "interactive") if name.startswith(step[:-1])), step)
    return JobId(found[1], f"{found[1]}.{step}" if step else None)


def state(text: str) -> tuple[str | None, str | None]:
    """A state in full and what stands behind it: `CANCELLED by 1000`, `OUT_OF_ME+` as a narrow column cuts it."""
    word, _, reason = text.strip().partition(" ")
    if word.lower() in _NOTHING:
        return None, None
    if word.endswith("+"):
        full = [name for name in _STATES if name.startswith(word[:-1])]
        word = full[0] if len(full) == 1 else word
    return word, reason.strip() or None


def exit_code(text: str) -> tuple[int | None, int | None]:
    """`0:9` is exit code 0 and signal 9. Nones for what is none."""
    found = re.fullmatch(r"(\d{1,9})(?::(\d{1,9}))?", text.strip())
    return (int(found[1]), int(found[2] or 0)) if found else (None, None)


def seconds(text: str) -> float | None:
    """`1-02:03:04`, `02:03:04` and `03:04.567` in seconds; inf for UNLIMITED; None for what is none."""
    text = text.strip()
    if text.upper() == "UNLIMITED":
        return math.inf
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    if found[1] and not found[2]:  # days-hours:minutes
        return 86_400 * days + 3_600 * minutes + 60 * rest
    return 86_400 * days + 3_600 * hours + 60 * minutes + rest


def size(text: str, *, nodes: int | None = None, cpus: int | None = None) -> int | None:
    """`1234K`, `61.25 GB`, `64Gn` a node, `4000Mc` a CPU, in bytes; None for what is none or has no number of them."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        return None
    times = {"": 1, "n": nodes, "c": cpus}[found[3].lower()]
    value = float(found[1]) * _POWERS[found[2].upper()]
    return int(value * times) if times is not None and value * times < _LARGEST else None


def whole(text: str) -> int | None:
    """A count; None for what is none."""
    return int(text) if re.fullmatch(r"\d{1,9}", text.strip()) else None


def stated(text: str | None) -> str | None:
    """A text, or None where SLURM says that there is none."""
    return None if text is None or text.strip().lower() in _NOTHING else text.strip()


def resources(tres: str) -> dict[str, object]:
    """`billing=8,cpu=8,gres/gpu:a100=4,gres/gpu=4,mem=64G,node=1` as columns of `jobs`."""
    given = dict(part.split("=", 1) for part in tres.split(",") if "=" in part)
    typed = [whole(count) or 0 for name, count in given.items() if name.startswith("gres/gpu:")]
    gpus = whole(given.get("gres/gpu", ""))
    columns = {
        "nodes": whole(given.get("node", "")),
        "cpus": whole(given.get("cpu", "")),
        "gpus": gpus if gpus is not None else sum(typed) if typed else None,
        "memory_bytes": size(given.get("mem", "")),
    }
    return {name: value for name, value in columns.items() if value is not None}


def outcome(state_text: str | None, code: str | None, reason: str | None = None) -> dict[str, object]:
    """State, exit code, signal and reason as columns of `jobs`."""
    full, behind = state(state_text or "")
    exited, signal = exit_code(code or "")
    return {"state": full, "exit_code": exited, "signal": signal, "reason": stated(reason) or behind}


def filled(columns: Mapping[str, object]) -> dict[str, object]:
    """The columns that have a value."""
    return {name: value for name, value in columns.items() if value is not None}
