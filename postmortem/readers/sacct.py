"""`sacct` tables, padded under a line of dashes or with a delimiter (`-P`, `--delimiter`): a row a job or step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _slurm
from postmortem.readers._lines import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postmortem.parsing.rows import Rows
    from postmortem.readers._info import FileInfo

GENERAL: Final = False
#: Columns of sacct(1) that, beside the job's id, tell its table from another.
_TELLING: Final = frozenset({"state", "exitcode", "elapsed", "jobname", "maxrss", "alloctres", "partition", "end"})
_IDS: Final = ("jobid", "jobidraw")
_DELIMITERS: Final = "|,;\t"
#: A longer line is none of sacct's.
_LONGEST: Final = 65_536
_DASHES: Final = re.compile(r"-+(?: +-+)*\s*")
#: What these columns hold has its place in a frame.
# fmt: off
_READ: Final = frozenset(
    {
        "jobid", "jobidraw", "state", "exitcode", "reason", "jobname", "user", "partition", "nodelist", "start",
        "end", "timelimit", "timelimitraw", "elapsed", "elapsedraw", "allocnodes", "nnodes", "alloccpus",
        "ncpus", "alloctres", "reqtres", "reqmem", "totalcpu", "avecpu", "maxrss",
    }
)
# fmt: on


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """A heading with JobID and another of sacct's columns, and below it nothing but jobs."""
    table = _Table()
    return _slurm.prints(head, "sacct", lambda line: table.take(line.rstrip()) is not None)


def read(path: Path, rows: Rows) -> FileInfo:
    """Jobs and steps. Lines that are no row of the table are unread; columns without a place here are counted."""
    lines = Lines(path)
    table = _Table()
    unread = told = 0
    for line in lines:
        text = line.text.rstrip()
        row = table.take(text)
        identity = _identity(row or {})
        if identity is None:
            unread += row is None and bool(text)
            continue
        told += 1
        place = Place(str(path), job=identity.job, line=line.number, offset=line.offset, dialect="sacct")
        columns = {"origin": "sacct", "step_id": identity.step_id, **_columns(row or {})}
        rows.other(place, "jobs", _slurm.filled(columns), {})
    if not told:
        raise PostmortemError(f"{path}: a heading of sacct and no job below it")
    info = lines.info("sacct")
    info.unread_lines, info.dialects = unread, ["sacct"]
    if unplaced := set(table.heading) - _READ - {""}:
        info.left_out["columns of sacct without a place here"] = len(unplaced)
    return info


@dataclass(slots=True)
class _Table:
    """What has been seen of a table: its heading, and where its cells are."""

    heading: list[str] = field(default_factory=list)
    delimiter: str = ""
    spans: list[slice] = field(default_factory=list)

    def take(self, line: str) -> dict[str, str] | None:
        """The cells of a job's line by column; empty for a heading and the line under it; None for another line."""
        if len(line) > _LONGEST:
            return None
        if found := _heading(line):
            (self.heading, self.delimiter), self.spans = found, []
            return {}
        if self.heading and _DASHES.fullmatch(line):
            self.spans = [slice(*dashes.span()) for dashes in re.finditer("-+", line)]
            return {}
        cells = [line[span] for span in self.spans] if self.spans else line.split(self.delimiter or None)
        if len(cells) != len(self.heading):
            return None
        row = dict(zip(self.heading, cells, strict=True))
        return row if _identity(row) else None


def _heading(line: str) -> tuple[list[str], str] | None:
    """The columns' names in lower case, and the delimiter; none for a padded table, or where it is no heading."""
    delimiter = max(_DELIMITERS, key=line.count)
    delimiter = delimiter if delimiter in line else ""
    names = [name.strip().lower() for name in (line.split(delimiter) if delimiter else line.split())]
    telling = any(name in _IDS for name in names) and bool(_TELLING & set(names))
    return (names, delimiter) if telling else None


def _identity(row: Mapping[str, str]) -> _slurm.JobId | None:
    found = [_slurm.job_id(row[name]) for name in _IDS if name in row]
    return found[0] if found else None


def _columns(row: Mapping[str, str]) -> dict[str, object]:
    """One row's columns of `jobs`. What is allocated goes before what was asked for."""
    given = {name: stated for name, cell in row.items() if (stated := _slurm.stated(cell))}
    tres = _slurm.resources(given.get("reqtres", "")) | _slurm.resources(given.get("alloctres", ""))
    nodes = _slurm.whole(given.get("allocnodes") or given.get("nnodes") or "")
    cpus = _slurm.whole(given.get("alloccpus") or given.get("ncpus") or "")
    minutes = _slurm.whole(given.get("timelimitraw", ""))
    raw = _slurm.whole(given.get("elapsedraw", ""))
    return {
        **_slurm.outcome(given.get("state"), given.get("exitcode"), given.get("reason")),
        "job_name": given.get("jobname"),
        "user": given.get("user"),
        "partition": given.get("partition"),
        "node": given.get("nodelist"),
        "start": given.get("start"),
        "end": given.get("end"),
        "limit": given.get("timelimit"),
        "limit_s": _slurm.seconds(given.get("timelimit", "")) if minutes is None else 60.0 * minutes,
        "elapsed_s": _slurm.seconds(given.get("elapsed", "")) if raw is None else float(raw),
        "cpu_s": _slurm.seconds(given.get("totalcpu", "")),
        "ave_cpu_s": _slurm.seconds(given.get("avecpu", "")),
        "max_rss_bytes": _slurm.size(given.get("maxrss", "")),
        "memory_bytes": _slurm.size(given.get("reqmem", ""), nodes=nodes, cpus=cpus),
        **_slurm.filled({"nodes": nodes, "cpus": cpus}),
        **tres,
    }
