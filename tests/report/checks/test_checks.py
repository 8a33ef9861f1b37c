"""Every output of a check: called alike, and inert whatever a log says."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import junitparser
import pytest
from markdown_it import MarkdownIt

from postmortem.report import checks
from postmortem.report.checks import CHECKS, Target
from tests.report import hostile

#: What a terminal, or a reader's eyes, would obey.
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


@cache
def rendered(name: str) -> str:
    text = CHECKS.load(name).render(hostile.check(), Target())
    assert isinstance(text, str)
    return text


def test_each_file_of_the_folder_is_a_format() -> None:
    files = Path(checks.__file__).parent.glob("[a-z]*.py")
    assert CHECKS.names() == sorted(file.stem for file in files)


@pytest.mark.parametrize("name", CHECKS.names())
def test_each_format_is_called_alike(name: str) -> None:
    asked = [name for name in inspect.signature(checks.CheckOutput.render).parameters if name != "self"]
    assert list(inspect.signature(CHECKS.load(name).render).parameters) == asked
    assert all(suffix.startswith(".") for suffix in CHECKS.load(name).SUFFIXES)


@pytest.mark.parametrize("name", CHECKS.names())
def test_no_output_acts_on_a_terminal(name: str) -> None:
    text = rendered(name)
    assert not ACTS.search(text)
    assert text.endswith("\n")
    text.encode("utf-8")


@pytest.mark.parametrize("name", sorted(set(CHECKS.names()) - {"json"}))  # which says all that an incident holds
def test_no_output_for_people_and_servers_grows_with_a_line(name: str) -> None:
    assert max(map(len, rendered(name).split("\n"))) < 10_000


def test_json_says_all_and_is_strict() -> None:
    found = json.loads(rendered("json"), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert rendered("json").isascii()
    assert found["code"] == 2
    assert [run["code"] for run in found["runs"]] == [1, 2, 1]
    findings = found["runs"][0]["findings"]
    assert len(findings) == 10_000
    assert [one["counts"] for one in findings[:3]] == [True, False, True]
    assert "</script" not in rendered("json")


def test_junit_is_read_by_another_program() -> None:
    (suite,) = junitparser.JUnitXml.fromstring(rendered("junit").encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (3, 2, 1, 0)
    first, second, third = suite
    assert first.name == "a b.log"
    assert isinstance(first.result[0], junitparser.Failure)
    assert "and 8,999 findings more" in first.result[0].text  # 10,000, less one that is known and 1,000 that are told
    assert isinstance(second.result[0], junitparser.Error)
    assert third.result[0].message.startswith("impossible/normalised-beyond-bound")


def test_annotations_begin_no_command_but_their_own() -> None:
    lines = rendered("github").splitlines()
    assert len(lines) == 51
    assert lines[-1].endswith("more annotations are left out")
    assert all(re.fullmatch(r"::(?:error|warning|notice) [^:\n]*::[^\n]*", line) for line in lines)
    # a property holds no separator: the evil name stays one file
    unreadable = next(line for line in lines if "title=not judged" in line)
    assert unreadable.startswith("::error file=logs/<b>\\x1b[31m%2Cline=1%3A%3A.log,title=not judged::")
    assert unreadable.count("::error file=") == 2  # its own, and the injected one as words behind it
    assert "\\n::error file=a::injected" in unreadable


def test_markdown_has_no_html_no_link_and_one_table() -> None:
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(rendered("markdown"))
    inline = [child for token in tokens for child in token.children or []]
    assert sum(token.type == "table_open" for token in tokens) == 1
    assert not {token.type for token in [*tokens, *inline]} & {"html_block", "html_inline", "link_open", "image"}
    assert len(rendered("markdown").encode()) < 2**20


def test_the_table_shows_what_needs_a_look_first() -> None:
    lines = rendered("terminal").splitlines()
    assert lines[0].startswith("not judged")
    assert lines[-1] == "3 runs · 2 failed · 1 not judged · 3 read, 0 unchanged"


def test_no_tag_of_a_log_stands_in_a_table_of_html() -> None:
    class Tags(HTMLParser):
        found: list[str] = []  # noqa: RUF012 - of this one parser

        def handle_starttag(self, tag: str, attrs: object) -> None:
            del attrs
            self.found.append(tag)

    import polars as pl

    from postmortem.report.answers import ANSWERS, Answer

    answer = Answer(
        "rows", hostile.TEXTS[1], hostile.TEXTS[1], pl.DataFrame({hostile.TEXTS[1]: list(hostile.TEXTS[:5])})
    )
    parser = Tags()
    parser.feed(ANSWERS.load("html").render([answer], Target()))
    assert not {"script", "img", "b"} & set(parser.found)
    assert {"table", "td"} <= set(parser.found)
