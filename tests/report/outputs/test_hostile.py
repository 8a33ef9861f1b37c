"""Whatever stands in a log, each output stays valid and inert: markup, scripts, escapes, formulas, and much of it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from postmortem import export, read
from postmortem.analysis import analyze
from postmortem.report.json import schema
from postmortem.report.outputs import OUTPUTS, Target
from postmortem.rules.finding import Evidence
from tests.report import factory, pages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from postmortem.incident import Incident

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SCHEMA = jsonschema.Draft202012Validator(schema())
#: What one of the outputs, or what shows it, would act on.
PIECES = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre></style></title>", "<!--", "]]>", "&#60;"),
    *(
        "![a](http://b)",
        "[a](javascript:b)",
        "# ",
        "```",
        "~~~~",
        "|",
        "\\",
        "**",
        "\n- ",
        "\n\n    ",
        "$x$",
        "http://a.b",
    ),
    *("\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x00", "\u202e", "\u200b", "\u2028", "\ud800", "\r", "\x0b", "\"'"),
    *("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1", '"] --> x; click n0 "javascript:a"', "%%{init: {}}%%"),
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), min_size=1, max_size=6).map("".join)


def texts(incident: Incident) -> dict[str, str]:
    forms = ("html", "json", "markdown", "terminal")
    return {form: OUTPUTS.load(form).render(incident, None, Target(verbose=True)) for form in forms}


def kinds(text: str) -> Counter[str]:
    tokens = MARKDOWN.parse(text)
    return Counter(child.type for token in tokens for child in (token, *(token.children or [])))


def assert_inert(incident: Incident) -> dict[str, str]:
    """All that must hold of each output, whatever stands in the incident."""
    shown = texts(incident)
    pages.assert_inert(pages.parsed(shown["html"]))
    SCHEMA.validate(json.loads(shown["json"]))
    assert "</script" not in shown["json"]
    assert not {"html_block", "html_inline", "image", "link_open"} & kinds(shown["markdown"]).keys()
    for form in ("html", "markdown", "terminal"):
        controls = {character for character in shown[form] if not character.isprintable()} - {"\n"}
        assert not controls, (form, controls)
    return shown


@given(text=hostile)
@settings(max_examples=30)
def test_text_changes_nothing_but_the_text(text: str) -> None:
    incident, _ = factory.normaliser()
    plain, shown = texts(incident), assert_inert(factory.hostile(incident, text))
    assert pages.shape(pages.parsed(shown["html"])) == pages.shape(pages.parsed(plain["html"]))
    for kind in ("heading_open", "tr_open", "td_open", "list_item_open", "fence", "paragraph_open"):
        assert kinds(shown["markdown"])[kind] == kinds(plain["markdown"])[kind], kind


@given(line=hostile, name=hostile)
@settings(max_examples=10)
def test_a_log_of_it_is_read_judged_and_shown(tmp_path_factory: pytest.TempPathFactory, line: str, name: str) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = folder / "job.log"
    lines = [
        # so long that it is a log, and no binary file, whatever the text holds
        *(f"step {step}: loss={9 - step / 1000:.3f}" for step in range(3000)),
        f"eps = 1e-5 {line}",
        f"Layer 3: XV output: min=-2500, max=40960 {line}",
        *(f"step {step}: loss={9 - step / 1000:.3f}, {name}={step}.5 {line}" for step in range(3000, 3008)),
        f"step 3008: loss=nan {line}",
        f"RuntimeError: {line}",
    ]
    log.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    incident, run = analyze(str(log), replay=False)
    assert incident.findings
    assert_inert(incident)
    export.write(run.metrics, folder / "metrics.csv")
    _assert_no_formula(folder / "metrics.csv")


def _assert_no_formula(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and not _is_number(cell)]


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def test_ten_thousand_findings_are_all_there() -> None:
    incident, _ = factory.distillation()
    evidence = [Evidence(file="kd-run-3.log", line=7, text="Step 0", before=["x"], after=["y"])]
    many = [
        factory.finding(f"made/up-{place}", "told", explained_by=["made/up-0"][:place], evidence=evidence, pieces=1)
        for place in range(10_000)
    ]
    large = incident.model_copy(update={"findings": many})
    shown = assert_inert(large)
    assert len(json.loads(shown["json"])["findings"]) == 10_000
    page = pages.parsed(shown["html"])
    assert len(page.query("article")) == 300
    assert len(page.query("#findings ~ ul > li")) == 9_700
    assert "9,700 more, without their evidence" in shown["markdown"]
    assert "9,799 more links have no room here" in shown["markdown"]
    assert shown["markdown"].count(" --> ") == 200


def test_a_million_characters_on_a_line_are_cut(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    endless = "<b>|`*=1+1" * 100_000
    log.write_text(f"step 1: loss=2.0\nstep 2: loss=nan {endless}\nRuntimeError: {endless}\nstep 3: loss=nan\n")
    assert len(read(str(log)).metrics)
    shown = assert_inert(analyze(str(log), replay=False)[0])
    assert max(len(line) for line in shown["markdown"].splitlines()) < 5_000
    assert all(len(text) < 500_000 for text in shown.values())
