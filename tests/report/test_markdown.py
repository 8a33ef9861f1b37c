"""The markdown report: its order, its links, its graph, and that text from a log stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from postmortem.incident import Ignored, UnusedIgnore
from postmortem.report import markdown
from postmortem.rules.finding import Evidence
from tests.report import factory

if TYPE_CHECKING:
    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = "\x1b[31m </script><b> | `code` ```\n# head\n![x](http://x) [red]"


def parsed(text: str) -> list[Token]:
    return [child for token in PARSER.parse(text) for child in (token, *(token.children or []))]


def test_the_report_reads_from_the_verdict_to_the_versions() -> None:
    tokens = PARSER.parse(markdown.render(factory.normaliser()[0]))
    headings = [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2"
    ]
    assert headings == [
        "What to do next",
        "Timeline",
        "How the findings hang together",
        "Findings and their evidence",
        "Hypotheses: fixes and what is to be believed of them",
        "Settings",
        "What was not checked",
        "With what",
    ]
    assert tokens[4].content.startswith("XV in layer 29 reaches 139,264")


def test_tables_hold_a_row_per_verdict_and_replay() -> None:
    incident, _ = factory.normaliser()
    tokens = PARSER.parse(markdown.render(incident))
    rows = [
        [cell.content for cell in row]
        for row in _rows(tokens)
        if row and row[0].content.startswith(("`eps 1e-5 -> 1e-3`", "variance lost"))
    ]
    assert rows[0][2] == "**refuted**"
    assert rows[2][:6] == [
        "variance lost in bfloat16",
        "`eps 1e-5 -> 1e-3`",
        "the output stays within the bound",
        "**refuted**",
        "0 % (0 % to 1 %)",
        r"largest \|output\|".replace("\\", ""),
    ]
    assert rows[2][6:] == ["139,264", "1,394 (1,302 to 1,489)", "311 of 1,024", "cpu, bfloat16"]


def _rows(tokens: list[Token]) -> list[list[Token]]:
    rows: list[list[Token]] = []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "td_open":
            rows[-1].append(tokens[place + 1])
    return rows


def test_the_graph_draws_only_what_was_found() -> None:
    (graph,) = [t for t in parsed(markdown.render(factory.normaliser()[0])) if t.info == "mermaid"]
    lines = [line.strip() for line in graph.content.splitlines()]
    assert lines[0] == "graph LR"
    assert 'n0["impossible/normalised-beyond-bound"]:::root_cause' in lines
    assert lines.count("n0 --> n2") == 1  # the bound explains the exit
    assert lines.count("n0 -.-> n1") == 1  # and contradicts the small eps
    assert not any("low-precision" in line for line in lines)


def test_no_graph_without_edges() -> None:
    text = markdown.render(factory.infinite_gradients()[0])
    assert "mermaid" not in text
    assert "Root cause: not established by this log." in text


def test_hostile_text_stays_text_in_every_place() -> None:
    incident, _ = factory.normaliser()
    plain = parsed(markdown.render(incident))
    first, second, *rest = incident.findings
    rule = 'x"] --> y; click `|'
    first = first.model_copy(
        update={
            "rule": rule,
            "title": HOSTILE,
            "message": HOSTILE,
            "note": HOSTILE,
            "values": {"name": HOSTILE, "value": 1.0},
            "evidence": [Evidence(file=HOSTILE, line=3, text=HOSTILE)],
        }
    )
    second = second.model_copy(update={"explained_by": [rule], "refuted_by": []})
    hostile = incident.model_copy(
        update={
            "findings": [first, second, *rest],
            "summary": [HOSTILE, HOSTILE],
            "measure_next": [HOSTILE],
            "rule_errors": [HOSTILE],
            "verdicts": [v.model_copy(update={"because": HOSTILE}) for v in incident.verdicts],
            "settings": [s.model_copy(update={"value": HOSTILE}) for s in incident.settings],
        }
    )
    text = markdown.render(hostile)
    tokens = parsed(text)
    assert "\x1b" not in text
    assert not {"html_block", "html_inline", "image", "link_open"} & {token.type for token in tokens}
    for kind in ("heading_open", "tr_open", "td_open"):  # no heading, row or cell more than without
        assert sum(t.type == kind for t in tokens) == sum(t.type == kind for t in plain)
    (graph,) = [token for token in tokens if token.info == "mermaid"]
    assert 'n0["x#34;#93; --#62; y#59; click #96;#124;"]:::root_cause' in graph.content


def test_what_was_not_checked_stands_under_its_reason() -> None:
    text = markdown.render(factory.normaliser()[0])
    assert "- no learning rate in this log: `lr/rule-0`, `lr/rule-1`," in text


def test_what_is_ignored_has_a_section_and_no_markup_of_its_own() -> None:
    incident = factory.normaliser()[0]
    ignored = [Ignored(finding=incident.findings[0], ignore="impossible", reason=HOSTILE)]
    unused = [UnusedIgnore(ignore="kd/*", reason="noise", because="it ended on 2020-01-01")]
    text = markdown.render(incident.model_copy(update={"ignored": ignored, "unused_ignores": unused}))
    section = text.split("## What is ignored")[1].split("## ")[0]
    assert "`kd/*` was not needed: it ended on 2020-01-01" in section
    tokens = parsed(section)
    assert {token.type for token in tokens} >= {"bullet_list_open", "code_inline"}
    assert not {token.type for token in tokens} & {"image", "link_open", "html_inline", "html_block", "heading_open"}
