"""How a log was understood: what read which lines, what became of each printed name, and what nobody read."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

#: The reader of text logs, beside those of `readers/`.
TEXT: Final = "text"

#: Who knows a name: `formats/names.yaml`, or the dialect that read it. None: it is kept under its own name,
#: as names of tensors always are.
Knower = Literal["names", "dialect"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadBy(_Record):
    """A dialect's pattern, or the generic reader, and the first record that it read. Several may share a record."""

    dialect: str
    pattern: str | None  # null: the generic reader
    records: int  # lines, or states of a progress bar
    line: int
    example: str


class Name(_Record):
    """A printed name with all values that were understood alike."""

    frame: str  # metrics | tensors | jobs
    source_name: str  # as the log has it; of a job its column
    name: str  # canonical
    split: str | None
    meaning: str | None  # of a tensor its kind and what produced it
    step_unit: str | None
    dialect: str | None
    known_by: Knower | None
    values: int
    line: int  # of the first value
    first: str | None  # value as printed
    last: str | None


class Stated(_Record):
    """A setting with all its statements."""

    source_name: str
    key: str  # canonical
    origin: str | None
    dialect: str | None
    known_by: Knower | None
    values: int
    line: int
    first: str | None
    last: str | None


class Happened(_Record):
    """A kind of event."""

    kind: str
    severity: str | None
    dialect: str | None
    events: int
    line: int
    first: str | None  # message


class Unread(_Record):
    """Records that nobody understood and that differ in their numbers alone."""

    shape: str  # each number as 0
    records: int
    line: int
    example: str  # the first of them, without rank and time stamp


class Understanding(_Record):
    """How one file was understood. Lines of a binary file are its records."""

    path: str
    reader: str  # text, or a reader of other files
    lines: int
    read_lines: int
    unread_lines: int
    unread_share: float  # of the lines that are not blank
    blank_lines: int | None  # null: this reader does not count them
    cut_lines: int  # too long to be read to their end
    block_records: int  # read as parts of the block that an earlier line began
    truncated: bool  # the last line has no end
    stopped: str | None  # why the reading ended before the file did
    read_by: list[ReadBy]  # by dialect, those that read most first
    names: list[Name]  # those with most values first, like all that follow
    settings: list[Stated]
    events: list[Happened]
    unread: list[Unread]
    left_out: dict[str, int]  # understood, and without a place in a frame
