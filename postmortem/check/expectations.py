"""What each log of an archive must show and must not, as a file: a test of the logs, or of the rules by the logs.

```yaml
logs:
  ctc-fp16.log:
    must: [amp/scaler-startup]       # rules, or patterns such as nonfinite/*
    may: [timing/*]                  # neither asked for nor minded
    must_not: [grad/explosion]
    root_causes: []                  # these and no others, where it is given
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from postmortem.check import listing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from postmortem.archive.judged import Judged
    from postmortem.incident import Incident

_EXPECTED: Final = "expected"


class Expected(BaseModel):
    """What is expected of one log. What is listed under `must` or `may` does not count against it."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    must: list[str] = []
    may: list[str] = []
    must_not: list[str] = []
    root_causes: list[str] | None = None


class Expectations(BaseModel):
    """The logs of a file, by their paths relative to its folder."""

    model_config = ConfigDict(defer_build=True, extra="forbid")

    logs: dict[str, Expected]


def load(file: Path, rules: Iterable[str]) -> Expectations:
    """What a file expects. PostmortemError: file, line and reason, also for a rule that does not exist."""
    found = listing.load(file, Expectations)
    known = list(rules)
    for one in found.logs.values():
        listing.refuse_unknown(file, [*one.must, *one.may, *one.must_not, *(one.root_causes or [])], known)
    return found


def hold(expectations: Expectations, folder: Path, runs: Iterable[Judged]) -> list[str]:
    """Mark what is expected and what is broken in each run: the logs that are expected and not among them."""
    missing = set(expectations.logs)
    for run in runs:
        name = listing.relative(run.name, folder)
        expected = expectations.logs.get(name)
        if expected is None:
            continue
        missing.discard(name)
        if run.incident is not None:
            run.broken += _broken(expected, run.incident)
            wanted = [*expected.must, *expected.may, *(expected.root_causes or [])]
            run.known |= {one.rule: _EXPECTED for one in run.incident.findings if _first(one.rule, wanted) is not None}
    return sorted(missing)


def _broken(expected: Expected, incident: Incident) -> list[str]:
    found = [finding.rule for finding in incident.findings]
    broken = [
        f"must show {pattern}, and does not"
        for pattern in expected.must
        if not any(listing.matches(rule, pattern) for rule in found)
    ]
    broken += [f"must not show {rule}" for rule in found if _first(rule, expected.must_not) is not None]
    if expected.root_causes is not None and sorted(incident.root_causes) != sorted(expected.root_causes):
        shown, wanted = (", ".join(causes) or "none" for causes in (incident.root_causes, expected.root_causes))
        broken.append(f"root causes: {wanted} expected, {shown} found")
    return broken


def _first(rule: str, patterns: Iterable[str]) -> str | None:
    return next((pattern for pattern in patterns if listing.matches(rule, pattern)), None)
