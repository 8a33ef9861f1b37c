"""A comparison: what is said of a run beside an earlier one. This model is the JSON output of `compare`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from postmortem.incident import Job, Log
from postmortem.replay.protocol import Fix
from postmortem.rules.finding import Severity

SCHEMA_VERSION = "1.0"

#: What became of a stated change.
ChangeWord = Literal["acted", "not_connected", "confounded", "contradicted", "not_established"]
FindingWord = Literal["came", "went", "stayed", "not_checked"]


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")


class Side(_Record):
    """One run of a comparison, and what its own log says."""

    logs: list[Log]
    jobs: list[Job]
    summary: list[str]
    root_causes: list[str]


class SettingChange(_Record):
    """A setting that differs, or that one log alone states: then the other value is null."""

    key: str
    before: str | None
    after: str | None
    before_line: int | None
    after_line: int | None
    cause: bool  # it can change what is computed; a job's name cannot


class Parting(_Record):
    """One metric of two runs, aligned by step: whether and where they part."""

    metric: str
    split: str | None
    aligned_by: Literal["step", "order"]
    shared: int  # values that stand beside each other
    identical: int  # leading ones that agree to the last printed digit
    parts: bool | None  # beyond the batch noise; null: too few values to tell
    step: int | None = None  # the first at which they part; of its epoch, where steps count batches of one
    epoch: float | None = None
    before: float | None = None  # the values there
    after: float | None = None
    before_line: int | None = None
    after_line: int | None = None
    noise: float | None = None  # batch noise of after minus before, a standard deviation
    difference: float | None = None  # mean over all shared values, after minus before
    difference_low: float | None = None  # its 95 % interval, for independent values
    difference_high: float | None = None
    because: str
    not_alike: str = ""  # why the values of the two runs do not mean the same


class ScopeReach(_Record):
    """The largest absolute value that a tensor shows in one layer or stage, in each run."""

    scope: str
    before: float
    after: float


class Reach(_Record):
    """How far one tensor reaches in the layers that both runs print."""

    tensor: str
    op: str | None
    scopes: list[ScopeReach]
    factor: float  # before / after, geometric mean over the scopes
    factor_low: float | None  # its 95 % interval over the scopes, for independent ones
    factor_high: float | None
    moved: bool | None  # null: one scope has no spread to be held against
    because: str


class FindingChange(_Record):
    """A rule's finding in one run or in both."""

    rule: str
    title: str
    severity: Severity
    change: FindingWord  # not_checked: one log does not have what the rule needs, so that it did not come or go
    before: str | None  # what is found
    after: str | None
    because: str = ""


class StatedChange(_Record):
    """What somebody says they changed: what it should have moved, and what moved."""

    fix: Fix
    verdict: ChangeWord
    should_move: list[str]
    moved: list[str]
    others: list[str]  # other settings that differ and can be the cause as well
    because: list[str]


class Pair(_Record):
    """A run beside the first one."""

    before: int  # places in `sides`
    after: int
    summary: list[str]
    settings: list[SettingChange]
    same_settings: int
    partings: list[Parting]  # what the training computes first, then what its clock says
    reaches: list[Reach]
    findings: list[FindingChange]
    changes: list[StatedChange]


class Comparison(_Record):
    """Two runs or more; each is held against the first."""

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    sides: list[Side]
    pairs: list[Pair]
