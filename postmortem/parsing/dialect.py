"""A dialect: one trainer's or system's lines, as data. The models that `formats/*.yaml` must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from postmortem import frames
from postmortem.errors import PostmortemError
from postmortem.parsing.pattern import Pattern

if TYPE_CHECKING:
    from pathlib import Path

#: `place` sets the step, epoch or rank of the lines that follow and makes no row of its own.
Target = Literal["metrics", "tensors", "events", "settings", "jobs", "place"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Sample(_Part):
    """A real line and exactly the fields that it gives."""

    text: str
    gives: dict[str, Any]


class Line(_Part):
    """One kind of line: where its fields go, what is true of each such line, and an example."""

    pattern: str
    frame: Target
    set: dict[str, Any] = {}  # columns that this trainer's code fixes: op, kind, split, severity...
    event: str | None = None  # the line is an event of this kind too
    rest: str | None = None  # what follows is key=value, its names prefixed by this (may be "")
    sample: Sample

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        Pattern(value)
        return value


class Part(_Part):
    """A line inside a block: its fields belong to the block's one row."""

    pattern: str
    sample: Sample


class Block(_Part):
    """Several lines that make one row. It ends at `ends`, at a blank line or at a line that is no part."""

    starts: str
    frame: Literal["tensors", "events"]
    set: dict[str, Any] = {}
    lines: list[Part]
    sample: Sample  # of the starting line


class Dialect(_Part):
    """A file of `formats/`."""

    name: str
    title: str
    source: str  # where the trainer or system prints these lines
    means: dict[str, str] = {}  # what its counters and metrics are: step: update, loss: running_mean
    names: dict[str, str] = {}  # what it calls otherwise than everybody: its name (normalised) -> the canonical one
    placeholders: dict[str, list[float]] = {}  # values that it prints where it has none: loss_scale: [-1]
    records: list[list[str]] = []  # names that only its JSON records and tables hold, all of one list together
    lines: list[Line] = []
    blocks: list[Block] = []
    path: str = Field(default="", exclude=True)

    @field_validator("lines")
    @classmethod
    def _known_columns(cls, lines: list[Line]) -> list[Line]:
        for line in lines:
            # an event keeps fields that have no column
            if line.frame in {"tensors", "jobs"} and line.event is None:
                fields = {*Pattern(line.pattern).types, *line.set}
                unknown = fields - set(frames.schema(line.frame))
                if unknown:
                    raise ValueError(f"{line.pattern!r}: frame {line.frame} has no column {sorted(unknown)}")
        return lines


def load(path: Path) -> Dialect:
    """The dialect in a file. PostmortemError says file, place and reason where it does not fit."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=YAML_LOADER)  # noqa: S506 - the C version of the safe loader
        return Dialect.model_validate({**data, "path": str(path)})
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PostmortemError(f"{path}:{line}: {error.problem}") from None
    except (ValidationError, TypeError) as error:
        raise PostmortemError(f"{path}: {_first(error)}") from None


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return "not a mapping of fields"


#: The C loader is 10 times faster; both are the safe one.
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
