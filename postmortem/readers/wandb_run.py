"""Weights & Biases runs, `run-*.wandb`, as an offline run leaves them. Needs `postmortem[wandb]` for their messages.

Such a file is a LevelDB log behind a header of 7 bytes: blocks of 32 KiB, in them chunks of u32 CRC-32, u16 length and
u8 type; a record is one chunk or several. The library itself no longer brings a reader of them, only the messages.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._extra import need
from postmortem.readers._info import FileInfo
from postmortem.readers._records import MOST_NAMES, Records, as_number, utc
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

    from postmortem.parsing.rows import Rows

GENERAL: Final = False
_MAGIC: Final = b":W&B\xe1\xbe"
_HEADER: Final = 7
_BLOCK: Final = 32_768
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
#: A record that is larger holds no scalars.
_LARGEST: Final = 64 * 2**20
#: What the library adds to each record of the history.
_OWN_STEP: Final = "_step"


class _Log:
    """The records of a stream, until its end or the first that is damaged."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self.bytes = stream.seek(0, 2)
        self.records = self.passed = 0
        self.truncated = False
        self.stopped: str | None = None

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """The byte where each record begins, and its message."""
        begun, parts, is_open = _HEADER, bytearray(), False
        for at, kind, chunk in self._chunks():
            if (kind in {_FULL, _FIRST}) is is_open:
                self._stop(at, "its parts are out of order")
                return
            if not is_open:
                begun, parts = at, bytearray()
            if len(parts) <= _LARGEST:
                parts += chunk
            is_open = kind in {_FIRST, _MIDDLE}
            if not is_open:
                self.records += 1
                if len(parts) > _LARGEST:
                    self.passed += 1
                else:
                    yield begun, bytes(parts)
        self.truncated |= is_open and self.stopped is None
        self.records += self.truncated

    def _chunks(self) -> Iterator[tuple[int, int, bytes]]:
        """Place, kind and data of each chunk. A block's last bytes are empty where no chunk's head fits them."""
        at = self._stream.seek(_HEADER)
        while at < self.bytes:
            if (left := _BLOCK - at % _BLOCK) < _HEADER:
                at = self._stream.seek(at + left)
                continue
            head = self._stream.read(_HEADER)
            if len(head) < _HEADER:
                self.truncated = True
                return
            crc, length, kind = struct.unpack("<IHB", head)
            chunk = self._stream.read(length)
            if len(chunk) < length:
                self.truncated = True
                return
            if zlib.crc32(chunk, zlib.crc32(head[6:])) != crc or kind not in {_FULL, _FIRST, _MIDDLE, _LAST}:
                self._stop(at, "the data do not fit their checksum")
                return
            yield at, kind, chunk
            at += _HEADER + length

    def _stop(self, at: int, reason: str) -> None:
        self.records += 1
        self.stopped = f"record {self.records} (byte {at}): {reason}"

    def sha256(self) -> str:
        """The hash of the whole file, what was not read included."""
        self._stream.seek(0)
        return hashlib.file_digest(self._stream, "sha256").hexdigest()


def reads(path: Path, head: bytes) -> bool:  # noqa: ARG001 - the content tells
    """The header of such a file."""
    return head.startswith(_MAGIC)


def read(path: Path, rows: Rows) -> FileInfo:
    """History and system metrics, configuration, summary and exit code; `line` counts records."""
    record_type = need("wandb.proto.wandb_internal_pb2", "wandb", path).Record
    decode_error = need("google.protobuf.message", "wandb", path).DecodeError
    run = _Run(Records(rows))
    unread = told = 0
    with open_binary(path) as stream:
        log = _Log(stream)
        for offset, data in log:
            try:
                record = record_type.FromString(data)
            except decode_error:
                unread += 1
                continue
            told += 1
            run.take(record, Place(str(path), line=log.records, offset=offset, dialect="wandb_run"))
        digest = log.sha256()
    if not told:
        raise PostmortemError(f"{path}: no complete record in it: {log.stopped or 'the file is cut off'}")
    run.summarise()
    left_out = run.records.left_out
    if log.passed:
        left_out["records larger than 64 MiB"] += log.passed
    return FileInfo(
        str(path),
        "wandb_run",
        digest,
        log.bytes,
        log.records,
        unread_lines=unread + log.truncated,
        truncated=log.truncated,
        binary=True,
        dialects=["wandb_run"],
        left_out=left_out,
        stopped=log.stopped,
    )


class _Run:
    """What the records of one run say, kind by kind."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._history: set[str] = set()
        self._summary: dict[str, tuple[Place, object]] = {}

    def take(self, record: Any, place: Place) -> None:  # noqa: ANN401 - a protobuf message
        """Rows for one record. Kinds that hold no value of a run (headers, files, telemetry) are passed over."""
        kind = record.WhichOneof("record_type")
        if kind == "history":
            self._measured(record.history, place)
        elif kind == "stats":
            self._watched(record.stats, place)
        elif kind == "config":
            self._configured(record.config, place)
        elif kind == "run":
            self._started(record.run, place)
        elif kind == "summary":
            self._summed_up(record.summary, place)
        elif kind == "exit":
            self._ended(record.exit.exit_code, place)
        elif kind in {"output", "output_raw"}:
            self.records.left_out["lines of the console"] += 1

    def summarise(self) -> None:
        """Of the summary what the history has not: best values and the like. The rest repeats its last step."""
        for name, (place, value) in self._summary.items():
            if name not in self._history and not name.startswith("_"):
                self._put(place, name, value, {"split": "summary"})

    def _measured(self, history: Any, place: Place) -> None:  # noqa: ANN401
        record = self._items(history.item)
        if len(self._history) < MOST_NAMES:
            self._history |= record.keys()
        # the library counts calls of log(); a trainer's own step says more
        own = record.pop(_OWN_STEP, history.step.num)
        runtime = record.pop("_runtime", None)
        if not any(self.records.counts_steps(name) for name in record):
            record[_OWN_STEP] = own
        if runtime is not None:
            record["runtime"] = runtime
        self.records.put(place, record)

    def _watched(self, stats: Any, place: Place) -> None:  # noqa: ANN401
        """Use of the machine; it has a time and no step."""
        place.ts = utc(stats.timestamp.seconds)
        for name, value in self._items(stats.item).items():
            self._put(place, f"system/{name}", value)

    def _summed_up(self, summary: Any, place: Place) -> None:  # noqa: ANN401
        for name, value in self._items(summary.update).items():
            if name in self._summary or len(self._summary) < MOST_NAMES:
                self._summary[name] = (place, value)

    def _started(self, run: Any, place: Place) -> None:  # noqa: ANN401
        self._configured(run.config, place)
        place.ts = utc(run.start_time.seconds)
        self.records.rows.event(place, "run_started", run.run_id, {"host": run.host}, {})

    def _ended(self, code: int, place: Place) -> None:
        kind, severity = ("run_failed", "error") if code else ("run_finished", "info")
        message = f"the run ended with exit code {code}"
        self.records.rows.event(place, kind, message, {"code": code}, {"severity": severity})

    def _configured(self, config: Any, place: Place) -> None:  # noqa: ANN401
        for name, value in self._items(config.update).items():
            if not name.startswith("_wandb") and value is not None:
                self.records.setting(place, name, value)

    def _put(self, place: Place, name: str, value: object, fixed: dict[str, str] | None = None) -> None:
        number = as_number(value)
        if number is None:
            self.records.left_out["values that are no numbers"] += 1
        elif self.records.room(name):
            self.records.rows.metric(place, name, number, str(value), fixed=fixed)

    def _items(self, items: Any) -> dict[str, object]:  # noqa: ANN401
        """The items of a record, flat. Pictures, histograms and tables are objects with a `_type`: counted."""
        found: dict[str, object] = {}
        for item in items:
            name = "/".join(getattr(item, "nested_key", ())) or item.key
            try:
                found[name] = _json.decode(item.value_json)
            except ValueError:
                self.records.left_out["values that are no JSON"] += 1
            if isinstance(value := found.get(name), dict) and "_type" in value:
                self.records.left_out["pictures, histograms and tables"] += 1
                del found[name]
        return _json.flatten(found, self.records.left_out)
