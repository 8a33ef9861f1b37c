"""Paragraphs of a terminal's page: what is cut, and where."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from postmortem.report.text_page import Page


def page(width: int) -> Page:
    return Page(Console(file=StringIO(), width=width, highlight=False))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a:1;b:2;c:3", "  a:1;b:2;c:3"),
        ("a:1;b:2;c:3;d:4;e:5;f:6", "  a:1;b:2;c:3;d:4;e…"),  # no blank to wrap at
        ("a 1 b 2 c 3 d 4 e 5 f 6", "  a 1 b 2 c 3 d 4 e…"),
    ],
)
def test_a_text_of_one_line_is_cut_where_the_line_ends(text: str, shown: str) -> None:
    told = page(20)
    told.paragraph(text, indent=2, lines=1)
    assert told.text() == f"{shown}\n"


def test_of_several_lines_the_last_one_says_that_more_was_left_out() -> None:
    told = page(20)
    told.paragraph("one two three four five six seven eight nine ten", indent=2, lines=2)
    first, second = told.text().splitlines()
    assert first == "  one two three four"
    assert re.fullmatch("  five six.{0,9}\u2026", second)
