"""Rules that are kept: the same as those that are read, never out of date, and never needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.rules import cached, query, rule
from tests.rules.test_engine import GOOD, RULE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSTMORTEM_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "rules" / "mine"
    path.mkdir(parents=True)
    (path / "one.yaml").write_text(RULE.format(detect=GOOD))
    return tmp_path / "rules"


def kept(folder: Path) -> list[Path]:
    return sorted((folder.parent / "cache" / "postmortem").glob("*"))


def test_what_was_kept_is_what_was_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, errors = cached.load_folder(folder)
    assert errors == []
    for module, name in ((rule, "load"), (query, "parse")):  # the second time neither YAML nor SQL is read
        monkeypatch.delattr(module, name)
    again, _ = cached.load_folder(folder)
    assert again == first
    assert (again[0].id, again[0].path) == ("mine/one", folder / "mine" / "one.yaml")
    assert again[0].query.tables == ("metrics",)
    assert again[0].query == first[0].query


def test_a_rule_that_is_changed_moved_or_broken_is_read_anew(folder: Path) -> None:
    path = folder / "mine" / "one.yaml"
    cached.load_folder(folder)
    path.write_text(RULE.format(detect=GOOD).replace("A test rule", "Changed"))
    assert [one.title for one in cached.load_folder(folder)[0]] == ["Changed"]
    (folder / "other").mkdir()
    path.rename(folder / "other" / "one.yaml")
    assert [one.id for one in cached.load_folder(folder)[0]] == ["other/one"]
    (folder / "other" / "one.yaml").write_text("title: [unclosed\n")
    for _ in range(2):
        assert len(cached.load_folder(folder)[1]) == 1
    assert len(kept(folder)) == 3


def test_a_query_that_is_refused_is_refused_again(folder: Path) -> None:
    (folder / "mine" / "one.yaml").write_text(RULE.format(detect="DROP TABLE metrics"))
    for _ in range(2):
        (one,), errors = cached.load_folder(folder)
        assert errors == []
        with pytest.raises(PostmortemError, match="one SELECT"):
            _ = one.query


def test_what_is_kept_may_be_anything(folder: Path) -> None:
    first, _ = cached.load_folder(folder)
    for content in ("no JSON", "[1]", '[{"rule": {}, "query": null}]', "null"):
        kept(folder)[0].write_text(content)
        assert cached.load_folder(folder)[0] == first
