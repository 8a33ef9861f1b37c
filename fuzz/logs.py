"""Any bytes are a log: the compiled kernel and Python read the same frames from it, in chunks of any size.

The first byte says how large the chunks are. What is no log has empty frames; nothing raises.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["postmortem"]):
    from postmortem import frames
    from postmortem.parsing import dialects, kernel
    from postmortem.parsing.reader import Reader
    from postmortem.sources import chunks

if TYPE_CHECKING:
    import polars as pl

LIBRARY = kernel.load()


def read(content: bytes, size: int, *, compiled: bool) -> tuple[list[pl.DataFrame], tuple[int, int, int, bool]]:
    """The frames of a log, and its lines, those unread and those cut, and whether it ends inside one."""
    kernel.load = lambda: LIBRARY if compiled else None  # type: ignore[assignment]
    stream = io.BytesIO(content)
    reader = Reader("x.log", dialects.shipped())
    reader.read(chunks._pieces(iter(lambda: stream.read(size), b""), size))  # noqa: SLF001 - without a file
    log = reader.log
    assert log.size == len(content)
    assert 0 <= log.unread <= log.lines
    made = log.frames()
    return [made[name]() for name in frames.FRAMES], (log.lines, log.unread, log.cut, reader.truncated)


def one(data: bytes) -> None:
    """One input."""
    size, content = 1 + 16 * data[0] if data else 1, data[1:]
    if not content:
        return
    fast, counts = read(content, size, compiled=True)
    plain, plain_counts = read(content, size, compiled=False)
    assert counts == plain_counts
    for name, one_frame, other in zip(frames.FRAMES, fast, plain, strict=True):
        assert one_frame.equals(other), name


if __name__ == "__main__":
    assert LIBRARY is not None, "the kernel is not built: pip install --editable ."
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
