"""Paths, patterns and URLs to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fsspec
import pytest

from postmortem.archive.places import find
from postmortem.errors import PostmortemError
from tests.archive import logs

if TYPE_CHECKING:
    from pathlib import Path


def names(*paths: object, **options: object) -> list[str]:
    return [item.name for item in find([str(path) for path in paths], **options).items]  # type: ignore[arg-type]


def test_a_folder_is_searched_and_what_is_no_log_is_counted(tmp_path: Path) -> None:
    logs.write(tmp_path, a="x", deep_er_b="x", **{".git_c": "x"})
    (tmp_path / "weights.pt").write_text("x")
    (tmp_path / "link.log").symlink_to(tmp_path / "a.log")
    found = find([str(tmp_path)])
    assert [item.name for item in found.items] == [f"{tmp_path}/a.log", f"{tmp_path}/deep/er/b.log"]
    assert found.passed_over == {"a checkpoint or weights": 1, "a link": 1, "a hidden folder or one of code": 1}


def test_a_pattern_names_logs_and_a_file_that_is_met_twice_is_one(tmp_path: Path) -> None:
    logs.write(tmp_path, a="x", b="x", c_d="x")
    found = find([str(tmp_path), f"{tmp_path}/?.log", f"{tmp_path}/a.log"])
    assert [(item.name[-5:], item.named) for item in found.items] == [
        ("a.log", True),
        ("b.log", True),
        ("d.log", False),
    ]
    assert names(f"{tmp_path}/**/*.log") == [f"{tmp_path}/{name}.log" for name in ("a", "b", "c/d")]


def test_patterns_leave_out(tmp_path: Path) -> None:
    logs.write(tmp_path, a="x", old_b="x", old_c="x")
    assert names(tmp_path, exclude=["old/*"]) == [f"{tmp_path}/a.log"]
    assert names(tmp_path, exclude=["c.log"]) == [f"{tmp_path}/a.log", f"{tmp_path}/old/b.log"]


def test_a_folder_can_be_one_run(tmp_path: Path) -> None:
    logs.write(tmp_path, a="x", b="xy")
    (item,) = find([str(tmp_path)], per_folder=True).items
    assert (item.name, item.folder, item.size) == (str(tmp_path), True, 3)


def test_urls_are_read_by_their_file_system() -> None:
    system = fsspec.filesystem("memory")
    for name in ("a.log", "b.err", "b.out", "w.pt"):
        system.pipe_file(f"/bucket/runs/{name}", b"x")
    found = find(["memory://bucket/runs"])
    assert [item.name for item in found.items] == ["memory:///bucket/runs/a.log", "memory:///bucket/runs/b.out"]
    assert [len(item.files) for item in found.items] == [1, 2]
    assert names("memory://bucket/runs/*.log") == ["memory:///bucket/runs/a.log"]
    assert names("memory://bucket/runs/w.pt") == ["memory:///bucket/runs/w.pt"]  # named: taken for a log


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere", "nowhere: no such file or folder; check the path"),
        ("no*where", "no*where: no file matches this pattern; check it"),
        ("memory://none/at/all", "memory://none/at/all: no such object; check the URL and the credentials"),
        ("memory://none/*.log", "memory://none/*.log: no such object; check the URL and the credentials"),
        ("gs://bucket/a.log", "gs://bucket/a.log: nothing here reads gs://: pip install 'postmortem[gs]' brings it"),
        ("gopher://a/b", "gopher://a/b: nothing here reads gopher://: Protocol not known: gopher"),
    ],
)
def test_what_leads_nowhere_is_told(path: str, reason: str) -> None:
    with pytest.raises(PostmortemError) as told:
        find([path])
    assert str(told.value) == reason
