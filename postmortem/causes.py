"""From hits and verdicts to findings with roles: what is the cause, what follows from it, what hides it.

A refuted cause is no root cause; a finding that a benign one accounts for is no alarm; what another root cause
explains is a consequence. What else would only contribute is the cause where nothing else is one, unless it is a
suspicion that replays are there to test; what only tells what a run came to is context where a cause is found. Where
nothing is left, no root cause is established.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from postmortem.rules.finding import CONFIDENCES, SEVERITIES, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Verdict
    from postmortem.rules.engine import Hit
    from postmortem.rules.finding import Evidence, Role

#: The order in which a reader wants them.
_ROLES: Final[tuple[Role, ...]] = (
    "root_cause",
    "contributing",
    "consequence",
    "masking",
    "benign",
    "context",
)
_SHOWN: Final = 5
#: Columns of a query that say where and what, and are not values of the finding.
_NOT_VALUES: Final = frozenset({"line", "lines", "file", "role", "severity", "confidence"})


def evidence_lines(hits: Sequence[Hit]) -> set[int]:
    """The physical lines that findings will show."""
    return {line for hit in hits for line in hit.lines[:_SHOWN]}


def weigh(
    hits: Sequence[Hit], verdicts: Sequence[Verdict], evidence: Mapping[int, Evidence]
) -> tuple[list[Finding], list[str]]:
    """The findings, the primary root cause first, and the ids of the root causes."""
    fired = {hit.rule.id: hit for hit in hits}
    findings = [_finding(hit, fired, evidence) for hit in hits]
    by_rule = {finding.rule: finding for finding in findings}
    judged: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        judged[verdict.rule].append(verdict)
    for finding in findings:
        _refute(finding, fired, judged[finding.rule])
    while any(_excuse(finding, by_rule) for finding in findings):
        pass  # what an excused one accounts for may be excused too
    above: dict[str, set[str]] = {}
    for finding in findings:
        _relate(finding, by_rule, above)
    if any(finding.role == "root_cause" for finding in findings):
        _set_aside(findings, fired)
    else:
        _promote(findings, fired)
    findings.sort(key=_order)
    return findings, [finding.rule for finding in findings if finding.role == "root_cause"]


def settled(hits: Sequence[Hit]) -> set[str]:
    """Findings that would be causes, and that another one accounts for: one that the log itself establishes.

    The fixes of that one are tested in their place. A consequence stays: what made it so large is another question.
    """
    sure = [
        hit
        for hit in hits
        if _role(hit) == "root_cause"
        and hit.rule.experiment
        and (hit.rows[0].get("confidence") or hit.rule.confidence) in {"certain", "strong"}
    ]
    explained = [(cause, hit) for cause in sure for hit in hits if cause.rule.accounts_for(hit.rule)]
    # of two that account for each other neither goes
    return {
        hit.rule.id for cause, hit in explained if not hit.rule.accounts_for(cause.rule) and _role(hit) != "consequence"
    }


def _role(hit: Hit) -> str:
    return str(hit.rows[0].get("role") or hit.rule.role)


def values_of(hit: Hit) -> dict[str, Any]:
    """The values of a hit's most telling row, as messages, fixes and experiments see them."""
    return {key: value for key, value in hit.rows[0].items() if key not in _NOT_VALUES and not _is_said(value)}


def _is_said(value: object) -> bool:
    """A sentence that a query adds to the message in some rows, and leaves empty in others."""
    return isinstance(value, str) and (not value or value.startswith(". "))


def _finding(hit: Hit, fired: Mapping[str, Hit], evidence: Mapping[int, Evidence]) -> Finding:
    row, rule = hit.rows[0], hit.rule
    lines = hit.lines
    return Finding(
        rule=rule.id,
        title=rule.title,
        role=row.get("role") or rule.role,
        severity=row.get("severity") or rule.severity,
        confidence=row.get("confidence") or rule.confidence,
        message=rule.filled(rule.message, row),
        values=values_of(hit),
        evidence=[evidence[line] for line in lines[:_SHOWN]],
        pieces=len(lines) + hit.left_out,
        left_out=hit.left_out,
        cut=hit.cut,
        not_proof=" ".join(rule.not_proof.split()),
        explained_by=[other.rule.id for other in fired.values() if other.rule.accounts_for(rule)],
    )


def _refute(finding: Finding, fired: Mapping[str, Hit], verdicts: Sequence[Verdict]) -> None:
    """A suspected cause that a law or every replay speaks against is kept, and no longer called a cause."""
    if finding.role not in {"root_cause", "contributing"}:
        return
    finding.refuted_by = [hit.rule.id for hit in fired.values() if finding.rule in hit.rule.refutes]
    if finding.refuted_by:
        finding.note = f"refuted as a cause by {', '.join(finding.refuted_by)}"
    elif (
        finding.role == "contributing"
        and verdicts
        and all(verdict.verdict in {"refuted", "not_reproduced"} for verdict in verdicts)
    ):
        finding.note = "refuted as a cause: no fix that follows from it changes what it should"
    elif finding.role == "contributing":
        finding.note = "a suspicion, not established"
    if finding.note.startswith("refuted"):
        finding.role = "context"


def _excuse(finding: Finding, by_rule: Mapping[str, Finding]) -> bool:
    """What benign findings alone account for is no alarm. True where that is news."""
    causes = [by_rule[rule] for rule in finding.explained_by if by_rule[rule].role in {"root_cause", "benign"}]
    if finding.role == "benign" or not causes or any(cause.role != "benign" for cause in causes):
        return False
    finding.role, finding.severity = "benign", "info"
    finding.note = f"explained by {', '.join(cause.rule for cause in causes)}"
    return True


def _relate(finding: Finding, by_rule: Mapping[str, Finding], above: dict[str, set[str]]) -> None:
    """What another finding accounts for is its consequence.

    What a consequence accounts for is one too. `above` holds what accounts for each, directly or not: of two that
    account for each other, the first stays.
    """
    causes = [
        by_rule[rule]
        for rule in finding.explained_by
        if by_rule[rule].role in {"root_cause", "benign"} or finding.rule not in above.get(rule, {finding.rule})
    ]
    if causes and finding.role == "root_cause":
        finding.role = "consequence"
        finding.note = f"explained by {', '.join(cause.rule for cause in causes)}"
        above[finding.rule] = {cause.rule for cause in causes}.union(*(above.get(cause.rule, ()) for cause in causes))


def _promote(findings: Sequence[Finding], fired: Mapping[str, Hit]) -> None:
    """What the numbers carry and would only contribute, where no other cause is there to contribute to.

    What is worth a note is no cause, and hides none.
    """
    notes = {finding.rule for finding in findings if finding.severity == "info"}
    for finding in findings:
        rule = fired[finding.rule].rule
        worth = rule.alone and not rule.experiment and finding.severity != "info"
        if finding.role == "contributing" and worth and notes.issuperset(finding.explained_by):
            finding.role, finding.note = "root_cause", "alone: no other cause is found"


def _set_aside(findings: Sequence[Finding], fired: Mapping[str, Hit]) -> None:
    """What a run came to contributes to nothing where it is known why."""
    for finding in findings:
        if finding.role == "contributing" and fired[finding.rule].rule.alone == "only":
            finding.role, finding.note = "context", "what the run came to, beside the cause that is found"


def _order(finding: Finding) -> tuple[int, bool, int, int, int]:
    return (
        _ROLES.index(finding.role),
        finding.note.startswith("explained"),  # what explains comes before what it explains
        -CONFIDENCES.index(finding.confidence),
        -SEVERITIES.index(finding.severity),
        finding.evidence[0].line if finding.evidence else 0,
    )
