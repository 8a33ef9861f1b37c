"""JSON as it was printed: every number stays text, nested objects become one flat record."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from postmortem.errors import PostmortemError
from postmortem.readers._info import FileInfo
from postmortem.sources.stream import open_binary

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Numbers are kept as they are printed, NaN and Infinity too: what reads them reads those of a table as well.
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)
_BETWEEN: Final = re.compile(r"[\s,]*")
#: A JSON document is held in memory as a whole.
LARGEST: Final = 512 * 2**20
#: Characters of a flattened name.
_LONGEST_NAME: Final = 200


def decode(text: str) -> object:
    """The value of a JSON text, numbers as text. ValueError for what is none, or is nested without end."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def flatten(record: Mapping[str, object], left_out: Counter[str]) -> dict[str, object]:
    """Nested objects as `outer/inner`. Lists hold no scalar: they are counted and left out."""
    flat: dict[str, object] = {}
    todo: list[tuple[str, object]] = [(str(key), value) for key, value in reversed(list(record.items()))]
    while todo:
        name, value = todo.pop()
        if len(name) > _LONGEST_NAME:
            left_out["names too long"] += 1
        elif isinstance(value, dict):
            todo += [(f"{name}/{key}", inner) for key, inner in reversed(value.items())]
        elif isinstance(value, list):
            left_out["lists"] += 1
        else:
            flat[name] = value
    return flat


class Item(NamedTuple):
    """A value of a list and where it begins: the physical line, from 1, and the bytes before that line."""

    line: int
    offset: int
    value: object


@dataclass(slots=True)
class Document:
    """A file that is one JSON value, perhaps cut off. PostmortemError for one that is too large to be held."""

    path: Path
    text: str = ""
    stopped: str | None = None
    truncated: bool = False
    _starts: list[int] = field(default_factory=list)
    _end: int = 0
    _raw: bytes = b""

    def __post_init__(self) -> None:
        with open_binary(self.path) as stream:
            self._raw = stream.read(LARGEST + 1)
        if len(self._raw) > LARGEST:
            raise PostmortemError(
                f"{self.path}: JSON of more than {LARGEST // 2**20} MiB; split it or write JSON lines"
            )
        self._starts = [0, *(found.end() for found in re.finditer(rb"\n", self._raw))]
        self.text = self._raw.decode("utf-8", errors="replace")

    def items(self, opening: re.Pattern[str]) -> Iterator[Item]:
        """The values of the list whose bracket ends `opening`, until one is broken: then `stopped` says where."""
        found = opening.search(self.text)
        if found is None:
            raise PostmortemError(f"{self.path}: no list where one is expected; it is another kind of JSON")
        at, counted, line = found.end(), 0, 1
        while True:
            at = _BETWEEN.match(self.text, at).end()  # type: ignore[union-attr]  # the pattern matches nothing, too
            line, counted = line + self.text.count("\n", counted, at), at
            self._end = at
            if self.text.startswith("]", at):
                return
            try:
                value, at = _DECODER.raw_decode(self.text, at)
            except (ValueError, RecursionError) as error:
                self.truncated = at >= len(self.text) or not self.text.rstrip().endswith(("]", "}"))
                reason = "nested too deeply" if isinstance(error, RecursionError) else "broken JSON"
                self.stopped = f"line {line}: the file is cut off" if self.truncated else f"line {line}: {reason}"
                return
            yield Item(line, self._starts[line - 1], value)

    def around(self, opening: re.Pattern[str]) -> dict[str, object]:
        """The object around the list that was read last; empty where the file is broken."""
        found = opening.search(self.text)
        if found is None or self.stopped:
            return {}
        try:
            value = decode(self.text[: found.end()] + self.text[self._end :])
        except ValueError:
            self.truncated = not self.text.rstrip().endswith("}")
            self.stopped = "around its list: the file is cut off" if self.truncated else "around its list: broken JSON"
            return {}
        return value if isinstance(value, dict) else {}

    def line_of(self, text: str) -> tuple[int, int]:
        """Line and offset of the first place where `text` stands; the first line where it does not."""
        before = max(self.text.find(text), 0)
        line = self.text.count("\n", 0, before) + 1
        return line, self._starts[line - 1]

    def info(self, reader: str) -> FileInfo:
        """The counts of this file, once it is read."""
        lines = bisect_right(self._starts, max(len(self._raw) - 1, 0))
        return FileInfo(
            str(self.path),
            reader,
            hashlib.sha256(self._raw).hexdigest(),
            len(self._raw),
            lines,
            truncated=self.truncated,
            stopped=self.stopped,
        )


def number(value: Any) -> float | None:  # noqa: ANN401 - whatever stands in a JSON document
    """A number, bare or as newer tools wrap it, {"set": true, "infinite": false, "number": 3}; None for no number."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set") and not value.get("infinite") else None
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None
