"""Which of many files are one run, by their names: the ranks of a run, its stdout and its stderr."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from postmortem.sources.file_names import RANK, TORCHRUN, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

#: `run.out` and `run.err`, SLURM's and PBS's `run.o123` and `run.e123`, `stdout.log` and `stderr.log`.
_STREAM: Final = re.compile(r"\.(?:out|err|stdout|stderr)$|\.[oe](?=[0-9]+$)|(?:^|(?<=[._-]))std(?:out|err)(?=[._-]|$)")


def runs_of(paths: Iterable[str]) -> dict[str, list[str]]:
    """The name of each run, that of its first file, and its files: ranks in order, stdout before stderr."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        groups[_key(path)].append(path)
    ordered = (sorted(members, key=_order) for members in groups.values())
    return {members[0]: members for members in ordered}


def _key(path: str) -> tuple[str, str]:
    """What the files of a run have in common."""
    # all that lies below the attempts of torchrun is one run
    if torchrun := TORCHRUN.search(path):
        return path[: torchrun.start()], ""
    folder, _, name = path.rpartition("/")
    name = str(unpacked(PurePosixPath(name)))
    if rank := RANK.search(name):
        at = next(i for i in range(1, len(rank.groups()) + 1) if rank[i] is not None)
        name = f"{name[: rank.start(at)]}*{name[rank.end(at) :]}"
    return folder, _STREAM.sub("*", name)


def _order(path: str) -> tuple[list[tuple[int, str]], str]:
    """Numbers by their size, and `.err` behind `.out`."""
    plain = re.sub(r"\.e(?=(?:rr|[0-9]+)(?:\.[a-z0-9]+)?$)|stderr", "~", path)
    return [(int(part[:18]), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", plain)], path
