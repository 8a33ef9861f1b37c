"""Findings as SARIF 2.1.0 (OASIS): a result per finding, at its lines, with a fingerprint that survives shifted lines.

What is known or expected is a result with a suppression; a log that could not be judged is a notification of the tool.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from postmortem import __version__
from postmortem.archive.places import is_url
from postmortem.check.fingerprint import SCHEME, fingerprint
from postmortem.report.escape import visible
from postmortem.report.mask import mask, scrub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.archive.judged import Judged
    from postmortem.rules.finding import Finding

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}
#: What code hosts sort by, 0 to 10.
_RANKS: Final = {"info": 0.0, "low": 25.0, "medium": 50.0, "high": 75.0, "critical": 100.0}
_EXPECTATION: Final = "postmortem/expectation"
_TEXT: Final = 1_000
_LINE: Final = 400
#: Where a log that has no name, stdin, is said to lie.
_STDIN: Final = "stdin"


def render(runs: Sequence[Judged]) -> str:
    """One SARIF log of one run of the tool, over all runs that were judged."""
    shown = [_scrubbed(run) for run in runs]
    rules: dict[str, dict[str, Any]] = {}
    results = [result for run in shown for result in _results(run, rules)]
    notifications = [
        {"level": "warning" if run.allowed else "error", "message": {"text": _text(error)}}
        for run in shown
        for error in (run.errors() or ([run.problem] if run.problem else []))
    ]
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "postmortem", "semanticVersion": __version__, "rules": list(rules.values())}
                },
                "invocations": [
                    {
                        "executionSuccessful": not any(run.errors() for run in shown),
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _scrubbed(run: Judged) -> Judged:
    return run.model_copy(update={"incident": scrub(run.incident)}) if run.incident else run


def _results(run: Judged, rules: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for finding in run.incident.findings if run.incident else []:
        if finding.rule not in rules:
            rules[finding.rule] = {
                "id": finding.rule,
                "shortDescription": {"text": _text(finding.title)},
                "fullDescription": {"text": _text(finding.title)},
                "help": {"text": _text(finding.not_proof or finding.title)},
                "defaultConfiguration": {"level": _LEVELS[finding.severity]},
            }
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "level": _LEVELS[finding.severity],
            "rank": _RANKS[finding.severity],
            "message": {"text": _text(finding.message)},
            "locations": _locations(run, finding)[:1],
            "relatedLocations": _locations(run, finding)[1:],
            "partialFingerprints": {SCHEME: fingerprint(finding)},
            "properties": {
                "role": finding.role,
                "severity": finding.severity,
                "confidence": finding.confidence,
                "pieces": finding.pieces,
            },
        }
        if finding.rule in run.known:
            result["suppressions"] = [{"kind": "external", "justification": _text(run.known[finding.rule])}]
        yield result
    for broken in run.broken:
        rules.setdefault(
            _EXPECTATION, {"id": _EXPECTATION, "shortDescription": {"text": "What is expected of a log does not hold"}}
        )
        yield {
            "ruleId": _EXPECTATION,
            "level": "error",
            "message": {"text": _text(broken)},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(run.name)}}}],
        }


def _locations(run: Judged, finding: Finding) -> list[dict[str, Any]]:
    found = [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": _uri(piece.file)},
                "region": {"startLine": max(1, piece.line), "snippet": {"text": visible(piece.text, _LINE)}},
            }
        }
        for piece in finding.evidence
    ]
    return found or [{"physicalLocation": {"artifactLocation": {"uri": _uri(run.name)}}}]


def _uri(path: str) -> str:
    """A URL as it is; a path as a relative reference where it lies below the current folder, else as file:///."""
    if path == "-":
        return _STDIN
    if is_url(path):
        return quote(visible(path), safe=":/?#[]@!$&'()*+,;=%~")
    if not Path(path).is_absolute():
        # a reference that begins like `a:b` would be taken for a scheme
        plain = quote(os.fsencode(Path(path).as_posix()))
        return plain if ":" not in plain.partition("/")[0] else f"./{plain}"
    return f"file://{quote(os.fsencode(path))}"


def _text(text: str) -> str:
    return visible(mask(text), _TEXT) or "(no text)"
