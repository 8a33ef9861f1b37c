"""From a text log to a run: chunks are scanned and filled by two threads, and put together in order."""

from __future__ import annotations

import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError
from postmortem.parsing import dialects, kernel, names
from postmortem.parsing.collect import Collector
from postmortem.parsing.extract import Extractor
from postmortem.parsing.interpret import Interpreter
from postmortem.parsing.rows import Rows
from postmortem.parsing.shapes import Shapes
from postmortem.parsing.templates import Templates
from postmortem.run import Run
from postmortem.sources.chunks import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from postmortem.parsing.blocks import OpenBlock
    from postmortem.parsing.dialects import Dialects
    from postmortem.parsing.extract import Piece
    from postmortem.sources.chunks import Chunk

_JOB_IN_NAME: Final = re.compile(r"(?:^|[._-])(?:slurm|job|log|run)?[._-]?(?P<job>[0-9]{5,})(?:[._-]|$)")
_THREADS: Final = 2
#: Chunks that wait for their turn: what is read ahead, and so what memory is needed.
_AHEAD: Final = 3


class Reader:
    """Reads one text log, chunk by chunk."""

    def __init__(self, file: str, dialects: Dialects, *, rank: int | None = None, rows: Rows | None = None) -> None:
        self.templates = Templates(Interpreter(dialects, names.load()))
        job = _JOB_IN_NAME.search(Path(file).stem)
        rows = rows or Rows(names.load())
        self.log = Collector(file, job["job"] if job else None, rank, self.templates, rows)
        self.truncated = False
        self._of_thread = local()

    def read(self, log: Iterable[Chunk]) -> None:
        """Read all chunks of a log in order."""
        pending = iter(log)
        first = list(islice(pending, 2))
        if len(first) == 1:
            self._add(first[0], self._piece(first[0]))
        else:
            self._read_ahead(first, pending)
        self.log.finish()

    def _read_ahead(self, first: list[Chunk], rest: Iterator[Chunk]) -> None:
        waiting: deque[tuple[Chunk, Future[Piece]]] = deque()
        with ThreadPoolExecutor(_THREADS) as threads:
            for group in (first, rest):
                for chunk in group:
                    waiting.append((chunk, threads.submit(self._piece, chunk)))
                    if len(waiting) > _AHEAD:
                        self._add_next(waiting)
            while waiting:
                self._add_next(waiting)

    def _add_next(self, waiting: deque[tuple[Chunk, Future[Piece]]]) -> None:
        chunk, piece = waiting.popleft()
        self._add(chunk, piece.result())

    def _add(self, chunk: Chunk, piece: Piece) -> None:
        if self.log.open_block:
            # a block that the end of the last chunk cut: its other lines stand at the beginning of this one
            piece = self._piece(chunk, self.log.open_block)
        self.log.add(piece, chunk.size, goes_on=chunk.goes_on)
        self.truncated = not piece.ended

    def _piece(self, chunk: Chunk, open_block: OpenBlock | None = None) -> Piece:
        """Scan and fill a chunk with this thread's own memory of shapes."""
        mine = self._of_thread
        if not hasattr(mine, "extractor"):
            library = kernel.load()
            mine.shapes = kernel.KernelShapes(library) if library else Shapes()
            mine.extractor = Extractor(self.templates)
        piece: Piece = mine.extractor.piece(mine.shapes.scan(chunk), open_block)
        return piece


def read(path: str) -> Run:
    """The run that a log tells of. PostmortemError for what is missing, unreadable, binary or no log."""
    from postmortem.incident import Log

    reader = Reader(path, dialects.shipped())
    with chunks(path) as log_chunks:
        reader.read(log_chunks)
    log = reader.log
    found = log.frames()
    if not log.tells and not set(log.used) - {"generic"}:
        raise PostmortemError(
            f"{path}: no log of a training run: none of its {log.lines:,} lines holds a metric, a tensor's range, "
            "an event or a job"
        )
    info = Log(
        path=path,
        sha256="",
        bytes=log.size,
        lines=log.lines,
        unread_lines=log.unread,
        cut_lines=log.cut,
        dialects=[name for name, _ in log.used.most_common()],
        truncated=reader.truncated,
    )
    return Run(found, (info,), line_index={path: log.line_index})
