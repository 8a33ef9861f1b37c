"""The rows of the five frames as they are read: what a pattern or the generic reader found, in columns."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from postmortem import frames
from postmortem.parsing.names import Names, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from postmortem.parsing.blocks import OpenBlock
    from postmortem.parsing.dialect import Dialect
    from postmortem.parsing.template import Row


@dataclass(slots=True)
class Place:
    """Where the reader is: the place columns of the next row."""

    file: str
    job: str | None = None
    line: int = 0
    record: int = 0
    offset: int = 0
    ts: str | None = None
    rank: int | None = None
    step: int | None = None
    step_unit: str | None = None
    epoch: float | None = None
    dialect: str | None = None

    def row(self, columns: Mapping[str, object]) -> dict[str, object]:
        """A frame's row at this place."""
        return {name: getattr(self, name) for name in frames.PLACE} | dict(columns)


@dataclass(slots=True)
class Rows:
    """Collects rows. `fixed` are the columns that a dialect sets for all lines of a kind."""

    names: Names
    _rows: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {name: [] for name in frames.FRAMES})

    def frames(self) -> dict[str, pl.DataFrame]:
        """All that was collected, frame by frame."""
        return {name: frames.build(name, rows) for name, rows in self._rows.items()}

    def any(self, *names: str) -> bool:
        """True where one of these frames has a row."""
        return any(self._rows[name] for name in names)

    def metric(
        self,
        place: Place,
        name: str,
        value: float,
        text: str,
        *,
        dialect: Dialect | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        """A number under its canonical name. The dialect says what it is there: a running mean, a placeholder."""
        constants, placeholders = described(self.names, name, dialect, fixed or {})
        columns = {**constants, "value": value, "text": text}
        if value in placeholders:
            columns["meaning"] = "placeholder"
        self._rows["metrics"].append(place.row(columns))

    def setting(self, place: Place, key: str, value: str, number: float | None, origin: str) -> None:
        """A configured value under its canonical key; `number` where the text is one."""
        columns = {
            "key": self.names.setting(key) or normalise(key),
            "value": value,
            "number": number,
            "origin": origin,
            "source_name": key,
        }
        self._rows["settings"].append(place.row(columns))

    def event(
        self, place: Place, kind: str, message: str, fields: Mapping[str, object], fixed: Mapping[str, object]
    ) -> None:
        """Something that happened. Its fields become a JSON object, in which nan and inf are words."""
        extra = {name: value for name, value in fixed.items() if name not in {"kind", "severity"}}
        columns = {
            "kind": kind,
            "severity": fixed.get("severity", "info"),
            "message": message,
            "fields": json.dumps(extra | {name: _jsonable(value) for name, value in fields.items()}),
        }
        self._rows["events"].append(place.row(columns))

    def fill(self, place: Place, row: Row, record: bytes, block: OpenBlock | None = None) -> None:
        """A template's row, filled from one record and from the lines of its block."""
        constants = dict(row.constants)
        values = {name: span.read(record) for name, span in row.spans} | (block.values if block else {})
        texts = {name: span.text(record) for name, span in row.spans} | (block.texts if block else {})
        match row.frame:
            case "metrics":
                value = float(values["value"])
                if value in row.placeholders:
                    constants["meaning"] = "placeholder"
                self._rows["metrics"].append(place.row(constants | {"value": value, "text": texts["value"]}))
            case "settings":
                number = values.get("number")
                key, origin = str(constants["key"]), str(constants["origin"])
                self.setting(place, key, texts["value"], None if number is None else float(number), origin)
            case "events":
                kind, message = str(constants.pop("kind")), texts.pop("message")
                fields = {name.removeprefix("."): value for name, value in values.items() if name != "message"}
                if constants.pop("states", False) and block:
                    self._state(place, block)
                self.event(place, kind, message, fields, constants)
            case frame:
                self.other(place, frame, constants | values, texts)

    def _state(self, place: Place, block: OpenBlock) -> None:
        """What the parts of a block say, as settings."""
        for name, value in block.values.items():
            number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
            self.setting(place, name, block.texts[name], number, "log")

    def other(self, place: Place, frame: str, values: Mapping[str, object], texts: Mapping[str, str]) -> None:
        """A row of `tensors` or `jobs`: the values that have a column; numbers as text where the column is text."""
        types = frames.OWN[frame]
        printed = {f"{name}_text": texts[name] for name in ("min", "max") if name in texts}
        columns = {
            name: texts.get(name, str(value)) if types[name] == frames.TEXT and value is not None else value
            for name, value in {**values, **printed}.items()
            if name in types
        }
        self._rows[frame].append(place.row(columns))


def described(
    names: Names, name: str, dialect: Dialect | None, fixed: Mapping[str, Any]
) -> tuple[dict[str, object], tuple[float, ...]]:
    """What is true of all values that a line prints under `name`, and the numbers that stand for no value there."""
    metric, meaning = names.metric(name), "value"
    placeholders: tuple[float, ...] = ()
    if dialect is not None:
        metric = metric._replace(name=dialect.names.get(normalise(name), metric.name))
        meaning = dialect.means.get(metric.name, meaning)
        placeholders = tuple(dialect.placeholders.get(metric.name, ()))
    constants = {
        "name": metric.name,
        "meaning": fixed.get("meaning", meaning),
        "split": fixed.get("split", metric.split),
        "source_name": f"{model} {name}" if (model := fixed.get("model")) else name,
        "scope": fixed.get("scope"),
    }
    return constants, () if "meaning" in fixed else placeholders


def _jsonable(value: object) -> object:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
