"""The outputs of a comparison: alike in what they show, well-formed, and inert whatever the logs say."""

from __future__ import annotations

import json as standard
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from postmortem.compare.comparison import Comparison
from postmortem.compare.runs import Compared, compare
from postmortem.report.comparisons import COMPARISONS, Target
from tests.report import pages

LOGS = Path(__file__).parents[3] / "sample_logs"
HOSTILE = "</td><script>alert(1)</script><b>|\x1b[31m`=1+1"


@cache
def model_case() -> Compared:
    return compare([str(LOGS / f"job-72043{end}.log") for end in (15, 42)], stated=("eps=1e-8:1e-5",))


@cache
def twins() -> Compared:
    return compare([str(LOGS / f"distill-t{t}.log") for t in (6, 2)], stated=("temperature=6:2",))


def rendered(form: str, compared: Compared, path: Path | None = None) -> str:
    text = COMPARISONS.load(form).render(compared, Target(path, verbose=True))
    assert isinstance(text, str)
    return text


def test_the_formats() -> None:
    assert COMPARISONS.names() == ["html", "json", "markdown", "terminal"]


@pytest.mark.parametrize("form", COMPARISONS.names())
def test_each_shows_the_change_and_what_became_of_it(form: str) -> None:
    text = " ".join(rendered(form, model_case()).replace("\\", "").split())
    for said in ("eps", "acted", "1.73e-8 to 4.13e-8", "run/silent-exit"):
        assert said in text


def test_json_comes_back_as_the_comparison() -> None:
    text = rendered("json", twins())
    assert text.isascii()
    assert Comparison.model_validate(standard.loads(text)).pairs[0].changes == twins().comparison.pairs[0].changes


def test_the_page_is_well_formed_inert_and_has_its_figures() -> None:
    page = pages.parsed(rendered("html", twins()))
    pages.assert_inert(page)
    assert [title.to_text() for title in page.query("svg > title")] == [
        "Loss parts at step 30; kd_loss parts at step 30; lm_loss parts at step 60"
    ]


def test_markdown_has_its_tables_and_its_figures_beside_it(tmp_path: Path) -> None:
    text = rendered("markdown", model_case(), tmp_path / "c.md")
    assert (tmp_path / "c-figures" / "reach-1-0.png").stat().st_size > 1000
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(token.type == "table_open" for token in tokens) == 3  # settings, tensors, findings
    assert sum(token.type == "th_open" for token in tokens) == 3 + 6 + 4


def test_a_screen_names_what_it_leaves_out() -> None:
    found = twins().comparison.pairs[0]
    many = found.model_copy(update={"settings": found.settings * 10})
    comparison = twins().comparison.model_copy(update={"pairs": [many]})
    text = COMPARISONS.load("terminal").render(Compared(comparison, twins().runs), Target())
    assert "... 8 more; --verbose shows them" in text  # twenty rows, twelve shown


def test_hostile_text_stays_text() -> None:
    pair = twins().comparison.pairs[0]
    hostile = pair.model_copy(
        update={
            "summary": [HOSTILE],
            "settings": [setting.model_copy(update={"key": HOSTILE, "after": HOSTILE}) for setting in pair.settings],
            "findings": [found.model_copy(update={"after": HOSTILE, "title": HOSTILE}) for found in pair.findings],
            "changes": [change.model_copy(update={"because": [HOSTILE]}) for change in pair.changes],
        }
    )
    compared = Compared(twins().comparison.model_copy(update={"pairs": [hostile]}), twins().runs)
    page = pages.parsed(rendered("html", compared))
    pages.assert_inert(page)
    assert pages.shape(page)["td"] == pages.shape(pages.parsed(rendered("html", twins())))["td"]
    tokens = MarkdownIt("commonmark").enable("table").parse(rendered("markdown", compared))
    inline = [child.type for token in tokens for child in token.children or []]
    assert not {"html_inline", "image", "link_open"} & set(inline)
    assert not any(token.type == "html_block" for token in tokens)
    assert "\x1b" not in rendered("terminal", compared) + rendered("markdown", compared) + rendered("html", compared)
    assert "</script" not in rendered("json", compared)
