"""A dialect: one trainer's or system's lines, as data. The models that `formats/*.yaml` must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from postmortem import frames, yamltext
from postmortem.errors import PostmortemError, did_you_mean
from postmortem.parsing.pattern import Pattern
from postmortem.yamltext import NotYamlError, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: `place` sets the step, epoch or rank of the lines that follow and makes no row of its own.
Target = Literal["metrics", "tensors", "events", "settings", "jobs", "place"]
#: Field types that a column can hold; a column of text holds all.
_FITS: Final = {
    pl.Int64(): frozenset({"int"}),
    pl.Float64(): frozenset({"int", "num", "percent"}),
    pl.Boolean(): frozenset({"bool"}),
}
#: As the context of a validation: these dialects have been proved before, their patterns need no second look.
PROVED: Final = {"proved": True}
#: Fields that place the row, in whatever frame.
_COUNTERS: Final = frozenset({"step", "epoch", "rank"})


def _compiled(template: str, info: ValidationInfo) -> str:
    if info.context is PROVED:
        return template
    for name in Pattern(template).types:
        if not name.isidentifier():
            raise ValueError(f"field {name!r}: a name begins with a letter")
    return template


Template = Annotated[str, AfterValidator(_compiled)]


class _Part(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", arbitrary_types_allowed=True)


class Sample(_Part):
    """A real line and exactly the fields that it gives."""

    text: str
    gives: dict[str, Any]


class Line(_Part):
    """One kind of line: where its fields go, what is true of each such line, and an example."""

    pattern: Template
    frame: Target
    set: dict[str, Any] = {}  # columns that this trainer's code fixes: op, kind, split, severity...
    event: str | None = None  # the line is an event of this kind too
    heads: bool = False  # its step, epoch and job hold for the lines after it, as those of frame place
    lead: str | None = None  # what stands before it is key=value, its names prefixed by this (may be "")
    rest: str | None = None  # what follows is key=value, its names prefixed by this (may be "")
    tabled: bool = False  # numbers that it does not name, up to the first ": ", stand in the columns of a heading above
    sample: Sample

    @model_validator(mode="after")
    def _lands(self, info: ValidationInfo) -> Self:
        if info.context is PROVED:
            return self
        if self.frame == "events" and self.event is None and "kind" not in self.set:
            raise ValueError("an event needs its kind; add `set: {kind: ...}`")
        # an event keeps fields that have no column
        _check_columns(self.frame, [self.pattern], () if self.event else self.set, closed=not self.event)
        return self


class Part(_Part):
    """A line inside a block: its fields belong to the block's one row."""

    pattern: Template
    sample: Sample


class Block(_Part):
    """Several lines that make one row. It ends at `ends`, at a blank line or at a line that is no part."""

    starts: Template
    frame: Literal["tensors", "events"]
    set: dict[str, Any] = {}
    lines: list[Part]
    states: bool = False  # what an event's parts say are settings as well
    sample: Sample  # of the starting line

    @model_validator(mode="after")
    def _lands(self, info: ValidationInfo) -> Self:
        if info.context is PROVED:
            return self
        if self.frame == "events" and "kind" not in self.set:
            raise ValueError("an event needs its kind; add `set: {kind: ...}`")
        _check_columns(self.frame, [self.starts, *(part.pattern for part in self.lines)], self.set)
        return self


class Dialect(_Part):
    """A file of `formats/`."""

    name: str
    title: str
    source: str  # where the trainer or system prints these lines
    means: dict[str, str] = {}  # what its counters and metrics are: step: update, loss: running_mean
    names: dict[str, str] = {}  # what it calls otherwise than everybody: its name (normalised) -> the canonical one
    placeholders: dict[str, list[float]] = {}  # values that it prints where it has none: loss_scale: [-1]
    records: list[list[str]] = []  # names that only its JSON records and tables hold, all of one list together
    reports: bool = False  # its lines are rows of tables, of which any may name the step of all
    sentences: bool = False  # beside its lines another's may stand: what they leave is read as well
    lines: list[Line] = []
    blocks: list[Block] = []
    path: str = Field(default="", exclude=True)


def load(path: Path) -> Dialect:
    """The dialect in a file. PostmortemError says file, line and reason where it does not fit."""
    try:
        text = path.read_text(encoding="utf-8")
        data = yamltext.load(text)
    except NotYamlError as error:
        raise PostmortemError(f"{path}:{error.line}: not YAML: {error}") from None
    except (OSError, ValueError) as error:
        raise PostmortemError(f"{path}: cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise PostmortemError(f"{path}:1: a dialect is a mapping of fields, this is {type(data).__name__}")
    try:
        return Dialect.model_validate({**data, "path": str(path)})
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        reason = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            reason = "no such field" + did_you_mean(str(detail["loc"][-1]), _FIELDS)
        raise PostmortemError(f"{path}:{line_of(text, detail['loc'])}: {place}: {reason}") from None


def _check_columns(frame: Target, templates: Iterable[str], fixed: Iterable[str], *, closed: bool = True) -> None:
    """ValueError where a field is of another type than its column, or, in a closed frame, has none."""
    wide = frame in {"tensors", "jobs"}  # the other frames make a row of each field, or keep it in a column of JSON
    known = frames.schema(frame) if wide else frames.PLACE
    for template in templates:
        types = Pattern(template).types
        if wide and closed and (unknown := {*types, *fixed} - {*known}):
            raise ValueError(f"{template!r}: frame {frame} has no column {', '.join(sorted(unknown))}")
        for name in {*types} & ({*_COUNTERS, *frames.OWN[frame]} if wide else _COUNTERS):
            fits = _FITS.get(known[name])
            if fits and types[name] not in fits:
                raise ValueError(f"{template!r}: column {name} holds {' or '.join(sorted(fits))}, no {types[name]}")


_FIELDS: Final = [name for model in (Dialect, Line, Block, Sample) for name in model.model_fields]
