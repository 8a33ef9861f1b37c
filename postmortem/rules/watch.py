"""A clock beside the queries of this process: what takes too long is interrupted."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

#: Seconds between two looks at the clock.
_TICK: Final = 0.25


class Watch:
    """Interrupts a query that takes longer than so many seconds, on a thread that is there as long as it is entered.

    DuckDB looks at an interrupt between two vectors of rows, which is soon enough for queries that are known.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lock, self._done = threading.Lock(), threading.Event()
        self._watched: dict[duckdb.DuckDBPyConnection, float] = {}  # until when each may go on
        self._stopped = False
        self._thread: threading.Thread

    def __enter__(self) -> None:
        self._done.clear()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @contextmanager
    def over(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """While this lasts, the connection is watched."""
        with self._lock:
            self._watched[connection] = time.monotonic() + self.seconds
        try:
            yield
        finally:
            with self._lock:
                del self._watched[connection]

    def stop(self) -> None:
        """Interrupt at once whatever is watched."""
        self._stopped = True

    def _look(self) -> None:
        while not self._done.wait(_TICK):
            with self._lock:
                for connection, until in self._watched.items():
                    if self._stopped or time.monotonic() > until:
                        connection.interrupt()
