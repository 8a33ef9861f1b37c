"""A finding: what the log shows, with the lines that show it. A measurement, never a guess."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["root_cause", "contributing", "consequence", "masking", "benign", "context"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Confidence = Literal["certain", "strong", "suggestive"]
#: What a law or a replay says of a fix.
VerdictWord = Literal["confirmed", "refuted", "inconclusive", "not_reproduced"]

#: From least to most, for thresholds and order.
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
CONFIDENCES: tuple[Confidence, ...] = ("suggestive", "strong", "certain")


class _Record(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")


class Evidence(_Record):
    """One line of a log, as printed (made harmless and without secrets)."""

    file: str
    line: int
    text: str
    before: list[str] = []  # the lines that stand right before it
    after: list[str] = []


class Finding(_Record):
    """What one rule found. `role` and `severity` are final: causes and verdicts have been weighed."""

    rule: str
    title: str
    role: Role
    severity: Severity
    confidence: Confidence
    message: str
    values: dict[str, float | str | bool | None]
    evidence: list[Evidence]
    pieces: int  # rows of evidence in all; `evidence` may show fewer
    left_out: int = 0  # rows of the rule's query beyond those that were kept
    cut: int = 0  # values that were longer than what is kept
    explained_by: list[str]  # rules of this incident that account for this finding
    refuted_by: list[str] = []  # rules of this incident whose law or replay contradicts this as a cause
    not_proof: str = ""  # what the finding does not show
    note: str = ""  # why role or severity differ from the rule's own, in one line
