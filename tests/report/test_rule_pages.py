"""The pages of docs/rules/ are those of the rules that ship, as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest

from postmortem.report import rule_pages
from postmortem.rules.rule import SHIPPED, Rule, load_folder

FOLDER = Path(__file__).parent.parent.parent / "docs" / "rules"
RULES = load_folder(SHIPPED)[0]
ANEW = "make docs writes it anew"


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])
def test_the_page_of_each_rule_is_current(rule: Rule) -> None:
    assert (FOLDER / f"{rule.id}.md").read_text() == rule_pages.of(rule, RULES), ANEW


def test_the_index_is_current() -> None:
    assert (FOLDER / "README.md").read_text() == rule_pages.contents(RULES), ANEW


def test_no_page_is_of_a_rule_that_is_no_more() -> None:
    pages = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.md")}
    assert pages == {"README", *(rule.id for rule in RULES)}


def test_writing_removes_what_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_pages, "load_folder", lambda _: (RULES[:1], []))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "rule.md").write_text("# Old\n")
    rule_pages.write(tmp_path)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert written == {"README.md", f"{RULES[0].id}.md"}
