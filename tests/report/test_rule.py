"""A rule as a page: what a person reads who got its finding."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt

from postmortem.report.rule import index, page
from postmortem.rules.catalogue import Entry
from postmortem.rules.rule import Rule

WRITTEN = {
    "id": "mine/large",
    "path": "mine/large.yaml",
    "title": "A large loss",
    "role": "root_cause",
    "severity": "high",
    "confidence": "strong",
    "requires": {"metrics": ["loss|lm_loss"]},
    "params": {"most": {"default": 1.0e-7, "unit": "nats", "why": "it is small"}},
    "detect": "SELECT line, value, 'low' AS severity FROM metrics\nWHERE value > $most",
    "message": "the loss is {value:.1f}",
    "explains": ["loss/zero"],
    "judges": [{"knob": "lr", "claim": "it falls", "verdict": "refuted", "because": "{value:.0f} is large"}],
    "experiment": "normaliser",
    "fixes": [{"knob": "eps", "from": "$eps", "to": 0.001}, {"knob": "lr", "times": 0.1}],
    "next": ["print it before step {step}"],
    "why": "because",
    "not_proof": "anything",
    "false_positives": "none known",
    "references": ["a book"],
    "tests": {
        "fires": [{"log": "a\nb\n", "lines": [2]}],
        "near": [{"log": "c\n", "but": "it is small"}],
        "quiet": [{"log": "q\n"}],
    },
}


def rule(**fields: object) -> Rule:
    return Rule.model_validate(WRITTEN | fields)


def shown(**fields: object) -> str:
    return page(Entry(rule(**fields), "shipped"), [rule(**fields)], values={"value": 2.5, "step": 4})


def section(text: str, heading: str) -> str:
    return text.split(f"## {heading}\n\n")[1].split("\n\n## ", maxsplit=1)[0].strip()


def test_the_page_says_what_was_found_and_what_that_means() -> None:
    text = shown()
    assert text.startswith("# A large loss\n\n`mine/large` · root cause · high · strong\n\n> the loss is 2.5\n")
    assert "From log to log the query may change its severity." in text
    assert section(text, "Why") == "because"
    assert section(text, "What it does not prove") == "anything"
    assert section(text, "False positives") == "none known"
    assert section(text, "What to do next") == "- print it before step 4"
    assert section(text, "Beside other findings") == "- explains `loss/zero`"
    assert section(text, "References") == "- a book\n\n`mine/large.yaml`, `shipped`"


def test_fixes_are_named_with_what_judges_them() -> None:
    fixes = section(shown(), "Fixes").splitlines()
    assert "`normaliser`" in fixes[0]
    assert fixes[4:6] == ["| `eps` | the log's eps | 1e-3 |", "| `lr` | any | 0.1 times as much |"]
    assert fixes[-1] == "- Any other `lr`, said to give *it falls*: **refuted** by law: 2 is large."


def test_a_threshold_is_printed_to_be_copied() -> None:
    assert section(shown(), "Thresholds").splitlines()[-1] == "| `most` | 1e-07 | nats | it is small |"


def test_examples_mark_their_evidence_and_say_what_decides() -> None:
    assert section(shown(), "Examples").splitlines() == [
        "Fires on line 2:",
        "",
        "```text",
        "  1  a",
        "> 2  b",
        "```",
        "",
        "Almost, but it is small.",
        "",
        "```text",
        "  1  c",
        "```",
    ]


def test_a_long_example_shows_its_beginning_and_its_evidence() -> None:
    log = "".join(f"line {i}\n" for i in range(1, 31))
    text = shown(tests={"fires": [{"log": log, "lines": [20]}], "quiet": [{"log": "q\n"}]})
    assert section(text, "Examples").splitlines()[2:-1] == [
        "```text",
        "   1  line 1",
        "   2  line 2",
        "   3  line 3",
        "      ...",
        "  19  line 19",
        "> 20  line 20",
        "  21  line 21",
        "      ...",
    ]


def test_the_whole_page_has_the_query_and_the_quiet_logs() -> None:
    text = page(Entry(rule(), "shipped"), [rule()], values=None, whole=True)
    assert "> the loss is {value:.1f}\n" in text
    assert "Stays quiet:\n\n```text\n  1  q\n```" in text
    query = section(text, "Query")
    assert query.startswith("- Needs metrics: loss or lm_loss\n")
    assert "```sql\nSELECT line, value, 'low' AS severity FROM metrics\nWHERE value > $most\n```" in query
    assert "SELECT" not in shown()


def test_what_others_say_of_it_is_told() -> None:
    other = rule(id="mine/other", explains=["mine/large"], refutes=["mine/large"])
    text = page(Entry(rule(), "shipped"), [rule(), other], link=lambda name: f"../{name}.md")
    assert section(text, "Beside other findings").splitlines() == [
        "- explains [`loss/zero`](../loss/zero.md)",
        "- is explained by [`mine/other`](../mine/other.md)",
        "- is refuted as a cause by [`mine/other`](../mine/other.md)",
    ]


def test_nothing_in_a_rule_acts_on_the_page() -> None:
    evil = "<img src=x onerror=alert(1)> [a](http://b) \x1b[31m\n# heading"
    text = page(
        Entry(
            rule(
                path=Path("x/`evil`.yaml"),
                why=evil,
                title=evil,
                detect="```\n<script>",
                tests={"fires": [{"log": "```\n<b>\x1b[2J\n", "lines": [1]}], "quiet": [{"log": "q"}]},
            ),
            evil,
        ),
        [],
        whole=True,
    )
    assert "\x1b" not in text
    html = MarkdownIt("commonmark", {"html": True}).render(text)
    assert all(tag not in html for tag in ("<img", "<script", "<b>", "<a "))
    assert html.count("<h1>") == 1


def test_the_index_lists_all_by_family() -> None:
    text = index([rule(), rule(id="amp/b"), rule(id="amp/a")], link=lambda name: f"{name}.md")
    rows = [line for line in text.splitlines() if line.startswith(("## ", "| ["))]
    assert rows == [
        "## amp",
        "| [`amp/a`](amp/a.md) | A large loss | root cause | high | strong |",
        "| [`amp/b`](amp/b.md) | A large loss | root cause | high | strong |",
        "## mine",
        "| [`mine/large`](mine/large.md) | A large loss | root cause | high | strong |",
    ]
    assert text.count("3 rules") == 1
