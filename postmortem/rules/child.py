"""The process that strangers' rules run in: it answers queries over frames that are mapped into it, and can be killed.

`sandbox.py` starts it, sends a line of JSON per query, and reads one per answer. It holds nothing of the parent but
those frames: no environment, no open file. While a query runs it can open no file either, and write none.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.ipc

from postmortem.rules import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

#: Seconds of processor time beyond what both threads may use until the parent loses its patience.
_GRACE: Final = 5


def main() -> None:
    """Answer until there are no more questions. Arguments: bytes beyond the start, DuckDB's limit, seconds a query."""
    memory, of_duckdb, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    connection = database.sealed(of_duckdb)
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))
    most = _address_space() + memory
    say = _speaker()
    say({"ready": True})
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        for name, path in asked["tables"].items():
            before = _address_space()
            with pa.memory_map(path) as file:
                connection.register(name, pyarrow.ipc.open_file(file).read_all())
            if name == database.MACRO_TABLE:
                database.state(connection)
            most += _address_space() - before
        with _limited(most, seconds):
            answer = _answer(connection, asked["sql"], asked["params"])
        say(answer)


def _answer(connection: duckdb.DuckDBPyConnection, sql: str, params: dict[str, float]) -> dict[str, Any]:
    try:
        return database.answer(connection, sql, params)._asdict()
    except MemoryError:
        return {"error": "Out of Memory Error: the answer does not fit"}
    except Exception as error:  # noqa: BLE001 - values become Python's, which may raise anything
        return {"error": str(error) or type(error).__name__}


@contextmanager
def _limited(address_space: int, seconds: float) -> Iterator[None]:
    """What the kernel sees to, should nobody else: memory of any kind, time on the processor, files."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits = {
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime + 2 * seconds) + _GRACE,
        resource.RLIMIT_AS: address_space,
        resource.RLIMIT_NOFILE: 0,
    }
    before = {kind: resource.getrlimit(kind) for kind in limits}
    for kind, soft in limits.items():
        resource.setrlimit(kind, (soft, before[kind][1]))
    try:
        yield
    finally:
        for kind, both in before.items():
            resource.setrlimit(kind, both)


def _address_space() -> int:
    """Bytes of address space in use."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - the shortest way
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _speaker() -> Callable[[dict[str, Any]], None]:
    """What writes an answer to the parent. Whatever a library prints goes nowhere."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    return say
