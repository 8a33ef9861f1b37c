"""The markdown output: a report with its figures side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from postmortem.report.outputs import Target, markdown
from tests.report import factory

if TYPE_CHECKING:
    from pathlib import Path


def test_the_figures_stand_beside_the_report_that_links_to_them(tmp_path: Path) -> None:
    text = markdown.render(*factory.normaliser(), Target(tmp_path / "my report.md"))
    written = sorted((tmp_path / "my report-figures").iterdir())
    assert [path.name for path in written] == ["effect-1-hand-made.png", "ranges.png"]
    assert all(path.stat().st_size > 1000 for path in written)
    links = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert links == ["my%20report-figures/ranges.png", "my%20report-figures/effect-1-hand-made.png"]
    inline = [child for token in MarkdownIt("commonmark").parse(text) for child in token.children or []]
    assert [image.content for image in inline if image.type == "image"] == [
        "XV reaches 139,264 where 15.97 is possible: 8,700 times the bound (3 of 6 beyond it)",
        "The output stays within the bound? eps 1e-5 → 1e-3: refuted; dtype bfloat16 → float32: inconclusive",
    ]


def test_without_a_file_there_are_no_figures(tmp_path: Path) -> None:
    assert "![" not in markdown.render(*factory.normaliser(), Target())
    assert not list(tmp_path.iterdir())
