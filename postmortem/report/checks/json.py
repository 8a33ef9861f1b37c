"""The check as JSON, for programs: a run per log, with its code, findings and why some do not count. ASCII alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from postmortem.archive.judged import Judged
    from postmortem.check.logs import Check
    from postmortem.report.checks import Target

SUFFIXES: Final[tuple[str, ...]] = (".json",)
SCHEMA_VERSION: Final = "1.0"


def render(check: Check, target: Target) -> str:
    """All runs. Numbers that are not finite are the strings "nan", "inf" and "-inf", as in the JSON of an incident."""
    from postmortem import __version__
    from postmortem.report.json import text

    del target
    return text({
        "schema_version": SCHEMA_VERSION,
        "tool_version": __version__,
        "fail_on": check.fail_on,
        "code": check.code,
        "read": check.read,
        "passed_over": dict(check.passed_over),
        "notes": check.notes,
        "runs": [_run(run, check) for run in check.runs],
    })  # fmt: skip


def _run(run: Judged, check: Check) -> dict[str, Any]:
    from postmortem.check.fingerprint import fingerprint
    from postmortem.report.mask import mask, scrub

    told: dict[str, Any] = {
        "name": run.name,
        "code": run.code(check.fail_on),
        "problem": mask(run.problem) if run.problem else None,
        "allowed": run.allowed,
        "broken": run.broken,
    }
    if run.incident is None:
        return told | {"logs": [], "summary": [], "root_causes": [], "findings": []}
    counting = {finding.rule for finding in run.counting(check.fail_on)}
    incident = scrub(run.incident)
    findings = [
        finding.model_dump()
        | {
            "fingerprint": fingerprint(original),
            "counts": finding.rule in counting,
            "known": run.known.get(finding.rule),
        }
        for finding, original in zip(incident.findings, run.incident.findings, strict=True)
    ]
    return told | {
        "logs": [log.model_dump() for log in incident.logs],
        "summary": incident.summary,
        "root_causes": incident.root_causes,
        "findings": findings,
        "rule_errors": incident.rule_errors,
    }
