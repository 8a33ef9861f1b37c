"""Two sentences on an incident: what happened, and what is known of why and of the fixes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from postmortem.rules.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.replay.protocol import Verdict
    from postmortem.rules.finding import Finding


def summarise(
    findings: Sequence[Finding], roots: Sequence[str], verdicts: Sequence[Verdict], *, truncated: bool
) -> list[str]:
    """What happened, then what is established. A log that was cut off says so in a third sentence."""
    sentences = [_what(findings), f"{_why(findings, roots)} {_fixes(verdicts)}".strip()]
    if truncated:
        sentences.append("The log is truncated: its last line has no end, and what came after it is not judged.")
    return sentences


def _what(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing in this log breaks a law or looks like a failure."
    told = [finding for finding in findings if finding.role in {"root_cause", "consequence"}]
    if told:
        # the primary cause leads; without one, the gravest thing that happened
        first = told[0] if told[0].role == "root_cause" else max(told, key=lambda f: SEVERITIES.index(f.severity))
        return f"{first.title} ({first.rule}, {first.confidence})."
    first = findings[0]
    return f"{first.title} ({first.rule}, {first.role.replace('_', ' ')})."


def _why(findings: Sequence[Finding], roots: Sequence[str]) -> str:
    if roots:
        return f"Root cause: {roots[0]}."
    benign = [finding.rule for finding in findings if finding.role == "benign" and not finding.note]
    alarms = [finding for finding in findings if finding.role in {"consequence", "contributing"}]
    if benign and not alarms:
        return f"No fault is shown: {', '.join(benign)} explains what looks like one."
    return "Root cause: not established by this log." if findings else "Root cause: none to establish."


def _fixes(verdicts: Sequence[Verdict]) -> str:
    counts = Counter({v.fix.knob + str(v.fix.new) + v.claim: v.verdict for v in verdicts}.values())
    if not counts:
        return ""
    parts = [f"{count} {word.replace('_', ' ')}" for word, count in sorted(counts.items(), key=lambda item: -item[1])]
    return f"Claims about fixes: {', '.join(parts)}."
