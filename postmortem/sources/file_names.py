"""What a log's file name says of it: the scheduler's job, and the rank that wrote it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from pathlib import Path, PurePath

    AnyPath = TypeVar("AnyPath", bound=PurePath)

_PACKED: Final = frozenset({".gz", ".zst", ".xz", ".bz2"})
#: `rank_3.log`, `train.rank3.log`, `log.txt.rank3`, `log.3.txt`, submitit's `123_3_log.out`.
RANK: Final = re.compile(
    r"(?i)(?:^|[._-])(?:local_?)?(?:rank|proc|process|gpu)[._-]?([0-9]{1,6})(?![0-9])"
    r"|^log\.([0-9]{1,6})\.txt$|^[0-9]+(?:_[0-9]+)?_([0-9]{1,6})_log\.(?:out|err)$"
)
#: torchrun's log folder: `attempt_0/3/stdout.log`.
TORCHRUN: Final = re.compile(r"(?:^|/)attempt_[0-9]+/([0-9]{1,6})/std(?:out|err)\.log$")
#: A scheduler's job id, with its array task: `slurm-123_4.out`, `train_48151.err`, submitit's `123_4_0_log.out`.
_SUBMITIT: Final = re.compile(r"^([0-9]{3,18}(?:_[0-9]+)?)_[0-9]+_log\.(?:out|err)$")
_SLURM: Final = re.compile(r"(?i)^(?:slurm|job|sacct|seff|scontrol)[._-]?([0-9]{1,18}(?:_[0-9]{1,9})?)(?:[._-]|$)")
_JOB: Final = re.compile(r"(?:^|[._-])([0-9]{5,12}(?:_[0-9]{1,4})?)(?=[._-])")
_DATE: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")


def unpacked(path: AnyPath) -> AnyPath:
    """The path without the suffix of a packer."""
    return path.with_suffix("") if path.suffix.lower() in _PACKED else path


def rank_in(path: Path) -> int | None:
    """The rank in a file's name, or in torchrun's folder for it; `path` is that below the run's folder."""
    name = unpacked(path)
    if torchrun := TORCHRUN.search(name.as_posix()):
        return int(torchrun[1])
    found = RANK.search(name.name)
    return int(next(group for group in found.groups() if group is not None)) if found else None


def job_in(path: Path) -> str | None:
    """The job id in a log's name. A date is none, nor is the time in the name of an event file."""
    name = unpacked(path).name
    found = _SUBMITIT.match(name) or _SLURM.match(name) or (None if _DATE.search(name) else _JOB.search(name))
    return found[1] if found else None
