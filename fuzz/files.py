"""Any file under any reader gives rows or one line of refusal.

The first byte chooses the reader; behind the last of them stands the public `read`, as for a log.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["postmortem"]):
    import postmortem
    from postmortem import readers
    from postmortem.errors import PostmortemError
    from postmortem.parsing import names
    from postmortem.parsing.rows import Rows
    from postmortem.readers import _readers
    from tests.readers.heads import HEADS

    READERS = {reader.__name__.rpartition(".")[2]: reader for reader in _readers()}  # imports them

NAMES = list(HEADS)
#: In memory, where the system has such a place: each input is a file.
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of a random name is made in it


def one(path: Path, data: bytes) -> None:
    """One input."""
    which = data[0] % (len(NAMES) + 1) if data else 0
    content = data[1:]
    file = path / (HEADS[NAMES[which]][0] if which < len(NAMES) else "x.log")
    file.write_bytes(content)
    refused = ""
    try:
        if which < len(NAMES):
            rows = Rows(names.load())
            info = READERS[NAMES[which]].read(file, rows)
            assert info.bytes == len(content)
            rows.frames()
            readers.find(file)
        else:
            postmortem.read(str(file)).frames()
    except PostmortemError as error:
        refused = str(error)
    finally:
        file.unlink()
    assert "\n" not in refused


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        atheris.Setup(sys.argv, lambda data: one(Path(folder), data))
        atheris.Fuzz()
