"""TensorBoard event files: scalars, hyperparameters, and text that is JSON. Needs `postmortem[events]`.

An event file is a row of records: u64 length, u32 CRC of it, an `Event` message, u32 CRC of that; CRCs are CRC-32C,
rotated and masked (tensorflow/core/lib/io/record_writer.h). A record of any length can be claimed: only what the file
holds is read.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postmortem.errors import PostmortemError
from postmortem.parsing.rows import Place
from postmortem.readers import _json
from postmortem.readers._extra import need
from postmortem.readers._info import FileInfo
from postmortem.readers._lines import HEAD
from postmortem.readers._records import Records, utc
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

    from postmortem.parsing.rows import Rows

GENERAL: Final = False
_VERSION: Final = b"brain.Event:"
_MASK: Final = 0xA282EAD8
#: A record that is larger holds pictures or weights: it is passed over.
_LARGEST: Final = 64 * 2**20
#: dtype of a tensor -> struct's letter for one element, the field of single values.
_NUMBERS: Final = {1: ("f", "float_val"), 2: ("d", "double_val"), 3: ("i", "int_val"), 9: ("q", "int64_val")}
_STRING: Final = 7


class Frame(NamedTuple):
    """A record's message, and the byte where the record begins."""

    offset: int
    message: bytes


class _Framing:
    """The records of a stream, until its end or the first that is damaged."""

    def __init__(self, stream: BufferedReader, path: Path) -> None:
        self._stream = stream
        self._crc32c = need("tensorboardX.crc32c", "events", path).crc32c
        self.bytes = stream.seek(0, 2)
        self.records = self.passed = 0
        self.truncated = False
        self.stopped: str | None = None

    def __iter__(self) -> Iterator[Frame]:
        at = self._stream.seek(0)
        while header := self._stream.read(12):
            self.records += 1
            if len(header) < 12:  # noqa: PLR2004 - a header's length
                self.truncated = True
                return
            length, crc = struct.unpack("<QI", header)
            if self._masked(header[:8]) != crc:
                self.stopped = f"record {self.records} (byte {at}): the length does not fit its checksum"
                return
            if length + 4 > self.bytes - at - 12:
                self.truncated = True
                return
            if length > _LARGEST:
                self.passed += 1
                self._stream.seek(length + 4, 1)
            else:
                message = self._stream.read(length)
                if self._masked(message) != struct.unpack("<I", self._stream.read(4))[0]:
                    self.stopped = f"record {self.records} (byte {at}): the data do not fit their checksum"
                    return
                yield Frame(at, message)
            at += length + 16

    def _masked(self, data: bytes) -> int:
        crc: int = self._crc32c(data)
        return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF

    def sha256(self) -> str:
        """The hash of the whole file, what was not read included."""
        self._stream.seek(0)
        return hashlib.file_digest(self._stream, "sha256").hexdigest()


def reads(path: Path, head: bytes) -> bool:
    """The version that every event file begins with; a file that was cut before it is known by its name."""
    length = int.from_bytes(head[:8], "little")
    return (length < HEAD and _VERSION in head[:64]) or (
        path.name.startswith("events.out.tfevents.") and not head.isascii()
    )


def read(path: Path, rows: Rows) -> FileInfo:
    """Scalars as metrics, hyperparameters as settings; `line` counts records. Damage ends the reading and is said."""
    need("tensorboardX.crc32c", "events", path)
    event_type = need("tensorboardX.proto.event_pb2", "events", path).Event
    decode_error = need("google.protobuf.message", "events", path).DecodeError
    records = Records(rows)
    step = _Step(records, path)
    unread = read_events = 0
    with open_binary(path) as stream:
        framing = _Framing(stream, path)
        for frame in framing:
            try:
                event = event_type.FromString(frame.message)
            except decode_error:
                unread += 1
                continue
            read_events += 1
            place = Place(
                str(path),
                line=framing.records,
                offset=frame.offset,
                ts=utc(event.wall_time),
                step=event.step,
                step_unit="unknown",
                dialect="event_file",
            )
            for value in event.summary.value:
                step.add(value, place)
        step.end()
        digest = framing.sha256()
    if not read_events:
        raise PostmortemError(f"{path}: no complete event in it: {framing.stopped or 'the file is cut off'}")
    if framing.passed:
        records.left_out["records larger than 64 MiB"] += framing.passed
    return FileInfo(
        str(path),
        "event_file",
        digest,
        framing.bytes,
        framing.records,
        unread_lines=unread + framing.truncated,
        truncated=framing.truncated,
        binary=True,
        dialects=["event_file"],
        left_out=records.left_out,
        stopped=framing.stopped,
    )


class _Step:
    """The numbers of one step, held until it ends: its epoch is one of them, and may come behind the others."""

    def __init__(self, records: Records, path: Path) -> None:
        self._records, self._path = records, path
        self._step: int | None = None
        self._epoch: float | None = None
        self._held: list[tuple[Place, str, float, str]] = []  # with their tags, and as printed

    def add(self, value: Any, place: Place) -> None:  # noqa: ANN401 - a protobuf message
        """One tag's value: a scalar is held, hyperparameters and texts are settings at once, the rest is counted."""
        if place.step != self._step:
            self.end()
            self._step = place.step
        number = None if value.metadata.plugin_data.plugin_name == "hparams" else _number(value)
        if number is None:
            _other(value, place, self._records, self._path)
        elif value.tag.rpartition("/")[2] == "epoch" and math.isfinite(number):
            self._epoch = number
        else:
            self._held.append((place, value.tag, number, _short(number, value)))

    def end(self) -> None:
        """Rows for all that is held."""
        for place, tag, number, text in self._held:
            if self._records.room(tag):
                self._records.rows.metric(replace(place, epoch=self._epoch), tag, number, text, fixed={})
        self._held, self._epoch = [], None


def _other(value: Any, place: Place, records: Records, path: Path) -> None:  # noqa: ANN401 - a protobuf message
    """What is no scalar: hyperparameters, a text; anything else is counted by its kind."""
    plugin = value.metadata.plugin_data.plugin_name
    kind = value.WhichOneof("value")
    if plugin == "hparams":
        _hparams(value.metadata.plugin_data.content, place, records, path)
        return
    if kind == "tensor" and value.tensor.dtype == _STRING:
        _text(value, place, records)
    else:
        known = {"image": "pictures", "images": "pictures", "histo": "histograms", "histograms": "histograms"}
        records.left_out[known.get(plugin) or known.get(kind) or "values of other kinds"] += 1


def _number(value: Any) -> float | None:  # noqa: ANN401
    """The number of a scalar, an old or a new one; None for anything else."""
    kind = value.WhichOneof("value")
    return value.simple_value if kind == "simple_value" else _scalar(value.tensor) if kind == "tensor" else None


def _scalar(tensor: Any) -> float | None:  # noqa: ANN401
    """The number of a tensor of one element; None for any other tensor."""
    if tensor.dtype not in _NUMBERS or math.prod(dim.size for dim in tensor.tensor_shape.dim) != 1:
        return None
    letter, name = _NUMBERS[tensor.dtype]
    if tensor.tensor_content:
        whole = len(tensor.tensor_content) == struct.calcsize(letter)
        return float(struct.unpack(f"<{letter}", tensor.tensor_content)[0]) if whole else None
    values = getattr(tensor, name)
    return float(values[0]) if len(values) == 1 else None


def _short(number: float, value: Any) -> str:  # noqa: ANN401
    """A number as its type prints it: a float32 has nine digits at most, not the seventeen of its float64."""
    single = value.WhichOneof("value") == "simple_value" or value.tensor.dtype == 1
    if not single or not math.isfinite(number):
        return repr(number)
    return next(text for digits in range(1, 18) if _float32(text := f"{number:.{digits}g}") == number)


def _float32(text: str) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", float(text)))[0])
    except OverflowError:
        return math.inf


def _hparams(content: bytes, place: Place, records: Records, path: Path) -> None:
    plugin = need("tensorboardX.proto.plugin_hparams_pb2", "events", path)
    try:
        data = plugin.HParamsPluginData.FromString(content)
    except need("google.protobuf.message", "events", path).DecodeError:
        records.left_out["hyperparameters that are no message"] += 1
        return
    for key, value in sorted(data.session_start_info.hparams.items()):
        kind = value.WhichOneof("kind")
        if kind in {"number_value", "string_value", "bool_value"}:
            number = getattr(value, kind)
            records.setting(place, key, f"{number:g}" if kind == "number_value" else number)
        else:
            records.left_out["hyperparameters that are no scalar"] += 1


def _text(value: Any, place: Place, records: Records) -> None:  # noqa: ANN401
    """A text that is a JSON object is a configuration, as the Hugging Face Trainer writes it."""
    texts = value.tensor.string_val
    try:
        decoded = _json.decode(texts[0].decode("utf-8", errors="replace")) if len(texts) == 1 else None
    except ValueError:
        decoded = None
    if not isinstance(decoded, dict):
        records.left_out["text values"] += 1
        return
    for key, setting in _json.flatten(decoded, records.left_out).items():
        if setting is not None:
            records.setting(place, key, setting)
