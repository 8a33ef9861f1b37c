"""Folders that installed packages bring by entry points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem import plugins
from postmortem.errors import PostmortemError
from tests import users

if TYPE_CHECKING:
    from pathlib import Path


def test_nobody_brings_anything() -> None:
    assert plugins.folders("postmortem.nothing") == {}


def test_an_entry_point_is_a_package_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "[postmortem.formats]\nmodule = theirs\n\n[postmortem.rules]\npath = theirs:HERE\n"
    package = users.install(monkeypatch, tmp_path, points)
    assert plugins.folders("postmortem.formats") == {package: "entry point module"}
    assert plugins.folders("postmortem.rules") == {package: "entry point path"}


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("theirs.nowhere", "cannot be imported: No module named 'theirs.nowhere'"),
        ("theirs:NUMBER", "neither a package with a folder nor a path"),
        ("theirs:__name__", "neither a package with a folder nor a path"),  # a text, but no path that exists
        ("theirs:missing", "cannot be imported"),
    ],
)
def test_one_that_is_neither_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, reason: str
) -> None:
    users.install(monkeypatch, tmp_path, f"[postmortem.formats]\nbad = {target}\n")
    with pytest.raises(PostmortemError, match=reason) as caught:
        plugins.folders("postmortem.formats")
    assert str(caught.value).startswith(f"entry point bad = {target} of postmortem.formats (package theirs): ")
