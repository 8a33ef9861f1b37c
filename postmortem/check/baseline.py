"""Findings that are known and do not count, as a file: each with the reason, and the day on which it counts again.

```yaml
known:
  - log: runs/2026-*.log           # relative to this file's folder; * ? [a-z]
    rule: amp/scaler-startup       # or a pattern
    fingerprint: 0f3a...           # this finding alone; without it, any finding of the rule in these logs
    reason: the scaler looks for its scale, as in every run
    expires: 2026-12-31
```
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints

from postmortem.check import listing
from postmortem.check.fingerprint import fingerprint
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from postmortem.archive.judged import Judged
    from postmortem.rules.finding import Finding, Severity


class Known(BaseModel):
    """One entry: which findings are known, why they do not count, and until when (that day included)."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    log: str
    rule: str
    fingerprint: str | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    expires: dt.date

    def covers(self, name: str, finding: Finding) -> bool:
        """Whether a finding in a log of that relative name is meant."""
        if not listing.matches(name, self.log) or not listing.matches(finding.rule, self.rule):
            return False
        return self.fingerprint is None or self.fingerprint == fingerprint(finding)


class Baseline(BaseModel):
    """The entries of a file."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    known: list[Known] = []


def load(file: Path, rules: Iterable[str]) -> Baseline:
    """What a file lists. PostmortemError: file, line and reason, also for a rule that does not exist."""
    found = listing.load(file, Baseline)
    listing.refuse_unknown(file, [one.rule for one in found.known], rules)
    return found


def hold(baseline: Baseline, folder: Path, runs: Iterable[Judged], today: dt.date) -> list[str]:
    """Mark what is known in each run, and say which entries have expired or no longer cover anything."""
    used: set[int] = set()
    for run in runs:
        name = listing.relative(run.name, folder)
        for finding in run.incident.findings if run.incident else []:
            for place, entry in enumerate(baseline.known):
                if entry.covers(name, finding):
                    used.add(place)
                    if entry.expires >= today:
                        run.known.setdefault(finding.rule, f"{entry.reason} (until {entry.expires})")
    notes = []
    for place, entry in enumerate(baseline.known):
        if entry.expires < today:
            notes.append(f"known until {entry.expires}, counts again: {entry.rule} in {entry.log}")
        elif place not in used:
            notes.append(f"in the baseline and not found: {entry.rule} in {entry.log}; remove it")
    return notes


def accept(file: Path, runs: Sequence[Judged], fail_on: Severity, reason: str, expires: dt.date) -> int:
    """Add each finding that counts to a file, made where there is none: they are known from now on. How many.

    PostmortemError for a file that cannot be read or written.
    """
    earlier = listing.load(file, Baseline) if file.exists() else Baseline()
    added = [
        Known(
            log=listing.relative(run.name, file.parent),
            rule=finding.rule,
            fingerprint=fingerprint(finding),
            reason=reason,
            expires=expires,
        )
        for run in runs
        for finding in run.counting(fail_on)
    ]
    whole = Baseline(known=[*earlier.known, *added]).model_dump(exclude_none=True)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    except OSError as error:
        raise PostmortemError(f"{file}: cannot be written: {error.strerror}") from None
    hold(Baseline(known=added), file.parent, runs, expires)
    return len(added)
