"""Whose rules judge a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.rules import catalogue
from postmortem.rules import rule as rule_files
from tests import users

if TYPE_CHECKING:
    from pathlib import Path


def test_each_rule_has_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = users.install(monkeypatch, tmp_path, "[postmortem.rules]\ntheirs = theirs:RULES\n")
    (package / "__init__.py").write_text(f"RULES = {str(package / 'rules')!r}\n")
    own = users.rules(tmp_path)
    entries, errors = catalogue.entries([own])
    origins = {entry.rule.id: entry.origin for entry in entries}
    assert errors == []
    assert origins.pop("mine/rule") == f"{own}/mine/rule.yaml"
    assert origins.pop("theirs/rule") == "entry point theirs"
    assert set(origins.values()) == {"shipped"}
    assert len(origins) == len(list(rule_files.SHIPPED.rglob("*.yaml")))


def test_an_id_is_taken_once(tmp_path: Path) -> None:
    own = users.rules(tmp_path, "loss/divergence")
    entries, errors = catalogue.entries([own])
    assert errors == [f"{own}/loss/divergence.yaml:1: rule loss/divergence exists already; give it another name"]
    (kept,) = (entry for entry in entries if entry.rule.id == "loss/divergence")
    assert kept.origin == "shipped"


def test_a_folder_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    own = users.rules(tmp_path)
    rules, errors = catalogue.rules([own, own / ".." / own.name, rule_files.SHIPPED])
    assert errors == []
    assert [rule.id for rule in rules].count("mine/rule") == 1


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match=f"{tmp_path}/none: no folder of rules"):
        catalogue.rules([tmp_path / "none"])
