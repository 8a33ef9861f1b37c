"""Two sentences on an incident: what happened, and what is known of why and of the fixes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from postmortem.rules.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.replay.protocol import Verdict
    from postmortem.rules.finding import Finding


_ALARMING: Final = SEVERITIES.index("medium")


def summarise(
    findings: Sequence[Finding], roots: Sequence[str], verdicts: Sequence[Verdict], *, truncated: bool, ignored: int = 0
) -> list[str]:
    """What happened, then what is established; then that the log was cut off, and that findings are ignored."""
    sentences = [_what(findings), f"{_why(findings, roots)} {_fixes(verdicts)}".strip()]
    if truncated:
        sentences.append("The last line has no end: the log may go on.")
    if ignored:
        them = "1 finding is" if ignored == 1 else f"{ignored:,} findings are"
        sentences.append(f"{them} ignored, as the configuration says.")
    return sentences


def is_alarm(finding: Finding) -> bool:
    """Whether a finding asks for a cause: something went wrong, and nothing harmless explains it."""
    return finding.role not in {"benign", "context"} and SEVERITIES.index(finding.severity) >= _ALARMING


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
    if any(is_alarm(finding) for finding in findings):
        return "Root cause: not established by this log."
    if benign:
        *others, last = benign
        named = f"{', '.join(others)} and {last} explain" if others else f"{last} explains"
        return f"No fault is shown: {named} what looks like one."
    return "No fault is shown, so there is no root cause to establish."


def _fixes(verdicts: Sequence[Verdict]) -> str:
    counts = Counter({v.fix.knob + str(v.fix.new) + v.claim: v.verdict for v in verdicts}.values())
    if not counts:
        return ""
    parts = [f"{count} {word.replace('_', ' ')}" for word, count in sorted(counts.items(), key=lambda item: -item[1])]
    return f"Claims about fixes: {', '.join(parts)}."
