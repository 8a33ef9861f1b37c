"""Runs as JUnit's XML: a test case per run, failed by its findings, and an error where it was not judged."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from postmortem.report.escape import visible
from postmortem.report.mask import mask, scrub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from postmortem.archive.judged import Judged
    from postmortem.rules.finding import Finding, Severity

_TEXT: Final = 1_000
_LINE: Final = 400
#: Findings of a run that are told one by one.
_MOST: Final = 1_000


def render(runs: Sequence[Judged], fail_on: Severity) -> str:
    """One suite; `fail_on` is the severity from which a finding fails its run."""
    suite = ET.Element("testsuite", name="postmortem", tests=str(len(runs)))
    counts = {"failure": 0, "error": 0, "skipped": 0}
    for run in runs:
        shown = run.model_copy(update={"incident": scrub(run.incident)}) if run.incident else run
        case = ET.SubElement(suite, "testcase", _place(shown))
        verdict = _verdict(case, shown, fail_on)
        if verdict:
            counts[verdict] += 1
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _place(run: Judged) -> dict[str, str]:
    folder, name = str(PurePath(run.name).parent), PurePath(run.name).name
    seconds = f"{run.incident.environment.seconds:.3f}" if run.incident else "0"
    return {"classname": _text(folder), "name": _text(name), "time": seconds, "file": _text(run.name)}


def _verdict(case: ET.Element, run: Judged, fail_on: Severity) -> str | None:
    """Say how a run came out; the name of the element that says it, None for a run that passes."""
    if errors := run.errors():
        ET.SubElement(case, "error", type="unreadable", message=_text(errors[0])).text = _lines(errors)
        return "error"
    if run.problem:
        ET.SubElement(case, "skipped", message=_text(run.problem))
        return "skipped"
    counting = run.counting(fail_on)
    if counting or run.broken:
        first = f"{counting[0].rule}: {counting[0].message}" if counting else run.broken[0]
        told = [*run.broken, *(line for finding in counting[:_MOST] for line in _finding(finding))]
        if len(counting) > _MOST:
            told.append(f"and {len(counting) - _MOST:,} findings more")
        kind = counting[0].rule if counting else "expectation"
        ET.SubElement(case, "failure", type=_text(kind), message=_text(first)).text = _lines(told)
        return "failure"
    return None


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.rule} ({finding.severity}, {finding.role}, {finding.confidence}): {finding.message}"
    for piece in finding.evidence:
        yield f"  {piece.file}:{piece.line}  {visible(piece.text, _LINE)}"


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(_text(line) for line in lines)


def _text(text: str) -> str:
    """Text that XML 1.0 can hold: what it cannot is written out as `visible` does, noncharacters too."""
    return visible(mask(text), _TEXT).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
