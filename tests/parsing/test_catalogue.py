"""Which dialects a log is read with, and who brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.parsing import dialects
from postmortem.parsing.catalogue import catalogue, entries, files
from tests import users

if TYPE_CHECKING:
    from pathlib import Path


def test_without_more_it_is_what_ships() -> None:
    assert catalogue() is dialects.shipped()
    assert {(entry.origin, entry.replaces) for entry in entries()} == {("shipped", None)}


def test_a_file_and_a_folder_are_added(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    paths = [users.dialect(tmp_path, "one"), tmp_path / "folder"]
    users.dialect(tmp_path / "folder", "two")
    users.dialect(tmp_path / "folder", "three").rename(tmp_path / "folder" / "three.yml")
    shipped = {spec.name for spec in dialects.shipped().all}
    assert {spec.name for spec in catalogue(paths).all} == shipped | {"one", "two", "three"}
    found = {entry.dialect.name: entry.origin for entry in entries(paths) if entry.origin != "shipped"}
    assert found == {
        "one": f"{tmp_path}/one.yaml",
        "two": f"{tmp_path}/folder/two.yaml",
        "three": f"{tmp_path}/folder/three.yml",
    }


def test_the_later_one_of_a_name_counts(tmp_path: Path) -> None:
    own = users.dialect(tmp_path, "slurm")
    assert [spec.title for spec in catalogue([own]).all if spec.name == "slurm"] == ["A trainer of one's own"]
    again = tmp_path / "again.yaml"
    again.write_text(own.read_text())
    replaced = {entry.origin: entry.replaces for entry in entries([own, again]) if entry.dialect.name == "slurm"}
    assert replaced == {str(again): str(own)}


def test_packages_bring_dialects_that_the_users_own_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users.install(monkeypatch, tmp_path, "[postmortem.formats]\ntheirs = theirs\n")
    (entry,) = (entry for entry in entries() if entry.dialect.name == "theirs")
    assert (entry.origin, entry.replaces) == ("entry point theirs", None)
    own = users.dialect(tmp_path, "theirs")
    (entry,) = (entry for entry in entries([own]) if entry.dialect.name == "theirs")
    assert (entry.origin, entry.replaces) == (str(own), "entry point theirs")


def test_what_is_not_there_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match=f"^{tmp_path}/x.yaml: no such file or folder of dialects"):
        files(tmp_path / "x.yaml")
    with pytest.raises(PostmortemError, match=f"^{tmp_path}: no dialect"):
        files(tmp_path)
    (tmp_path / "broken.yaml").write_text("name: x\ntitle: x\nsource: [\n")
    with pytest.raises(PostmortemError, match=rf"^{tmp_path}/broken.yaml:4: not YAML"):
        catalogue([tmp_path])
