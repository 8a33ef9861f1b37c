"""The incident: everything that is said of one run. This model is the JSON output and its schema."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from postmortem.replay.protocol import Prediction, Prior, Replay, Verdict
from postmortem.rules.finding import Finding

SCHEMA_VERSION = "1.0"


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")


class Log(_Record):
    """A file that was read."""

    path: str
    sha256: str
    bytes: int
    lines: int
    unread_lines: int  # lines that no pattern and no generic reading understood; blank lines are not counted
    cut_lines: int = 0  # lines with a record so long that only its first 20,000 characters were read in full
    dialects: list[str]
    truncated: bool  # the last line is cut off
    reader: str = "text"  # what read it: the dialects of text lines, or the reader of another kind of file
    binary: bool = False  # its "lines" are records
    left_out: dict[str, int] = {}  # what was understood and has no place in a frame, by kind
    stopped: str | None = None  # why the reading ended before the file did


class LeftOut(_Record):
    """A file of a run's folder that was not read."""

    path: str
    because: str


class Job(_Record):
    """A scheduler's job as far as the log or its name tells."""

    job: str
    state: str | None = None
    node: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    start: str | None = None
    end: str | None = None
    limit: str | None = None


MomentKind = Literal["begin", "finding", "onset", "resume", "job", "end", "log_end"]


class Moment(_Record):
    """Something that happened in the run, at the line that tells of it."""

    kind: MomentKind
    what: str  # in words
    file: str
    line: int
    step: int | None = None  # the last that the log had told up to this line
    ts: str | None = None  # the time as printed, of this line or the last one before it that tells the step
    rule: str | None = None  # of a finding


class Setting(_Record):
    """A configured value and where it was found."""

    key: str
    value: str
    origin: str
    line: int


class NotChecked(_Record):
    """A rule that could not be evaluated, and why."""

    rule: str
    because: str


class Ignored(_Record):
    """A finding that the configuration ignores, and why."""

    finding: Finding
    ignore: str  # the name in the configuration: a rule, a family, or a pattern
    reason: str
    until: str | None = None  # the last day on which it is ignored, as 2026-12-31


class UnusedIgnore(_Record):
    """What the configuration ignores, and this log does not have."""

    ignore: str
    reason: str
    because: str


class Environment(_Record):
    """With what this was computed: it can be repeated."""

    versions: dict[str, str]
    device: str | None  # of the replay; null: no replay ran
    seed: int
    replay: str  # "ran", or why it did not, in one line with what to do
    seconds: float


class Incident(_Record):
    """What one run's log carries. `root_causes` is empty where the log does not establish one."""

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    logs: list[Log]
    left_out: list[LeftOut] = []
    jobs: list[Job]
    summary: list[str]  # two sentences: what happened, and what is known of why
    root_causes: list[str]
    timeline: list[Moment] = []  # in the order of the logs and their lines
    findings: list[Finding]  # the primary root cause first, then by role and evidence
    verdicts: list[Verdict]
    replays: list[Replay]
    priors: dict[str, list[Prior]]  # experiment -> what the log did not fix
    cannot_show: dict[str, str] = {}  # experiment -> what no replay of it can tell
    predictions: list[Prediction]
    measure_next: list[str]
    settings: list[Setting]
    ignored: list[Ignored] = []  # findings that do not count: the configuration says why
    unused_ignores: list[UnusedIgnore] = []
    not_checked: list[NotChecked]
    rule_errors: list[str]  # rule files that could not be used: file, line, reason
    environment: Environment
