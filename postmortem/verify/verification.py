"""What the next logs say of an incident's predictions. This model is the JSON output of `postmortem verify`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from postmortem.incident import SCHEMA_VERSION
from postmortem.replay.protocol import Fix, Prediction
from postmortem.rules.finding import Evidence


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")


class Checked(_Record):
    """One prediction against one log."""

    prediction: Prediction
    outcome: Literal["held", "broken", "not_seen"]
    because: str
    seen: float | None = None  # the value that decided: the first, or the one furthest out
    evidence: list[Evidence] = []  # its line


class Turned(_Record):
    """One fix against one log: whether it was made there, and whether what it must move moved."""

    fix: Fix
    made: Literal["yes", "no", "not_stated"]
    outcome: Literal["acted", "not_connected", "not_seen"]
    because: str


class Change(_Record):
    """A setting that differs from the judged log's, and is no fix: what it did cannot be told from what a fix did."""

    key: str
    was: str
    now: str


class Verified(_Record):
    """All of it for one log."""

    path: str
    sha256: str
    lines: int
    note: str = ""
    predictions: list[Checked]
    fixes: list[Turned]
    also_changed: list[Change]


class Verification(_Record):
    """Several logs against one incident."""

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    against: str  # the incident's file
    judged: list[str]  # the logs that it is about
    logs: list[Verified]

    def code(self) -> int:
        """1 where a prediction is broken, 2 where none could be checked, else 0."""
        outcomes = {checked.outcome for log in self.logs for checked in log.predictions}
        if "broken" in outcomes:
            return 1
        return 0 if "held" in outcomes else 2
