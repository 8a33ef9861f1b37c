"""A run as one of many: its incident, or why there is none, and which of its findings do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from postmortem.incident import Incident
from postmortem.rules.finding import SEVERITIES

if TYPE_CHECKING:
    from postmortem.rules.finding import Finding, Severity


class Judged(BaseModel):
    """One run of a check. `name` is its log's path or URL, as it was named or found."""

    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")

    name: str
    incident: Incident | None = None
    problem: str | None = None  # why it could not be judged
    allowed: bool = False  # what could not be judged is let pass
    known: dict[str, str] = {}  # rule -> why its finding does not count
    broken: list[str] = []  # what was expected of this log and does not hold

    def counting(self, fail_on: Severity) -> list[Finding]:
        """Its findings of this severity or above that nothing excuses."""
        least = SEVERITIES.index(fail_on)
        found = self.incident.findings if self.incident else []
        return [one for one in found if SEVERITIES.index(one.severity) >= least and one.rule not in self.known]

    def errors(self) -> list[str]:
        """Why this run cannot be called judged: it could not be read, or rules broke on it."""
        if self.problem:
            return [] if self.allowed else [self.problem]
        return list(self.incident.rule_errors) if self.incident else []

    def code(self, fail_on: Severity) -> int:
        """0 nothing that counts, 1 a finding or a broken expectation, 2 not judged."""
        return 2 if self.errors() else int(bool(self.broken or self.counting(fail_on)))
