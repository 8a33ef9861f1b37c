"""From a text log to a run: chunks are scanned and filled by two threads, and put together in order."""

from __future__ import annotations

import gc
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Final

from postmortem.parsing import kernel, last_bar, names
from postmortem.parsing.collect import Collector
from postmortem.parsing.extract import Extractor
from postmortem.parsing.interpret import Interpreter
from postmortem.parsing.rows import Rows
from postmortem.parsing.shapes import Shapes
from postmortem.parsing.templates import Templates
from postmortem.sources.file_names import job_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from postmortem.parsing.blocks import OpenBlock
    from postmortem.parsing.dialects import Dialects
    from postmortem.parsing.piece import Piece
    from postmortem.sources.chunks import Chunk

_THREADS: Final = 2
#: Chunks that wait for their turn: what is read ahead, and so what memory is needed.
_AHEAD: Final = 3


class Reader:
    """Reads one text log, chunk by chunk. The job in its name is that of its lines, `rank` the rank that wrote them."""

    def __init__(self, file: str, dialects: Dialects, *, rank: int | None = None) -> None:
        self.templates = Templates(Interpreter(dialects, names.load()))
        self.log = Collector(file, job_in(Path(file)), rank, self.templates, Rows(names.load()))
        self.truncated = False
        self._ends: list[Chunk] = []  # that hold the log's last bytes
        self._of_thread = local()

    def read(self, log: Iterable[Chunk]) -> None:
        """Read all chunks of a log in order."""
        pending = iter(log)
        first = list(islice(pending, 2))
        with _no_collection():
            if len(first) == 1:
                self._add(first[0], self._piece(first[0]))
            else:
                self._read_ahead(first, pending)
        self.log.finish()
        last_bar.note(self.log, b"".join(chunk.data() for chunk in self._ends)[-last_bar.TAIL :])

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
        self._ends.append(chunk)
        while sum(end.size for end in self._ends[1:]) >= last_bar.TAIL:
            del self._ends[0]

    def _piece(self, chunk: Chunk, open_block: OpenBlock | None = None) -> Piece:
        """Scan and fill a chunk with this thread's own memory of shapes."""
        mine = self._of_thread
        if not hasattr(mine, "extractor"):
            library = kernel.load()
            mine.shapes = kernel.KernelShapes(library) if library else Shapes()
            mine.extractor = Extractor(self.templates)
        piece: Piece = mine.extractor.piece(mine.shapes.scan(chunk), open_block)
        return piece


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for cycles: there are none, and going through what was learnt takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
