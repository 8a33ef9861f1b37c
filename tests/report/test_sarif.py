"""SARIF by its schema, with lines, levels, suppressions and fingerprints."""

from __future__ import annotations

import json
import pickle
import sqlite3
from functools import cache
from importlib.metadata import distribution
from typing import Any

import jsonschema
import pytest

from postmortem.archive.judged import Judged
from postmortem.report import sarif
from postmortem.rules.finding import Evidence
from tests.report import factory, hostile

URL = "https://json.schemastore.org/sarif-2.1.0.json"


@cache
def schema() -> dict[str, Any]:
    """The schema of SARIF 2.1.0, out of the package `schemastore`: answers of the store, kept in a database."""
    database = sqlite3.connect(
        f"file:{distribution('schemastore').locate_file('schemastore/cache.sqlite')}?mode=ro", uri=True
    )
    try:
        for (answer,) in database.execute("SELECT value FROM responses"):
            if URL.encode() in answer:
                kept = pickle.loads(answer)  # noqa: S301 - of a package that is pinned
                if kept["url"] == URL:
                    found = json.loads(kept["_content"])
                    assert found["title"] == "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"
                    return dict(found)
    finally:
        database.close()
    pytest.fail("the package schemastore holds no SARIF schema any more")


def shown(*runs: Judged) -> dict[str, Any]:
    document = json.loads(sarif.render(runs))
    validator = jsonschema.Draft7Validator(schema(), format_checker=jsonschema.FormatChecker())
    problems = [error.message for error in validator.iter_errors(document)]
    assert problems == []
    (run,) = document["runs"]
    return dict(run)


def test_a_result_stands_at_the_line_of_its_evidence() -> None:
    incident, _ = factory.normaliser()
    finding = incident.findings[0]
    run = shown(Judged(name=incident.logs[0].path, incident=incident))
    result = run["results"][0]
    assert (result["ruleId"], result["level"]) == ("impossible/normalised-beyond-bound", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == finding.evidence[0].file
    assert place["region"]["startLine"] == finding.evidence[0].line
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [one.rule for one in incident.findings]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_hostile_logs_stay_valid() -> None:
    run = shown(*hostile.check(500).runs)
    assert len(run["results"]) == 500 + 1 + len(factory.normaliser()[0].findings)
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1
    suppressed = [one["ruleId"] for one in run["results"] if "suppressions" in one]
    assert suppressed == ["hostile/rule-1"]
    assert {one["ruleId"] for one in run["results"]} >= {"postmortem/expectation", "hostile/rule-0"}


def test_a_fingerprint_survives_shifted_lines() -> None:
    incident, _ = factory.normaliser()
    moved = incident.model_copy(
        update={
            "findings": [
                finding.model_copy(
                    update={
                        "evidence": [
                            Evidence(file=piece.file, line=piece.line + 1000, text=piece.text)
                            for piece in finding.evidence
                        ]
                    }
                )
                for finding in incident.findings
            ]
        }
    )
    before, after = (
        [
            (one["partialFingerprints"], one["locations"][0]["physicalLocation"]["region"]["startLine"])
            for one in shown(Judged(name="a.log", incident=one))["results"]
            if one["locations"][0]["physicalLocation"].get("region")
        ]
        for one in (incident, moved)
    )
    assert [print_ for print_, _ in before] == [print_ for print_, _ in after]
    assert [line + 1000 for _, line in before] == [line for _, line in after]
    assert len({json.dumps(print_) for print_, _ in before}) == len(before)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("logs/a b.log", "logs/a%20b.log"),
        ("/data/ä.log", "file:///data/%C3%A4.log"),
        ("s3://bucket/runs/a b.log", "s3://bucket/runs/a%20b.log"),
        ("a:b.log", "a%3Ab.log"),
        ("-", "stdin"),
    ],
)
def test_places_are_references_by_rfc_3986(path: str, uri: str) -> None:
    incident = factory.incident(factory.log(path, 1), [factory.finding("a/b", "m", evidence=[])])
    (result,) = shown(Judged(name=path, incident=incident))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
