"""What cannot be read is refused in one line that says what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from postmortem.errors import PostmortemError
from postmortem.sources.text import TextLog, clean, excerpt


def test_counts_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    data = "a\r\n\nß\rlast\n".encode()
    path = tmp_path / "x.log"
    path.write_bytes(data)
    log = TextLog(str(path))
    records = [(r.line, r.record, r.offset, r.text) for r in log.records()]
    assert records == [(1, 0, 0, "a"), (2, 0, 3, ""), (3, 0, 4, "ß"), (3, 1, 4, "last")]
    assert (log.lines, log.bytes, log.blank_lines, log.truncated) == (3, len(data), 1, False)
    assert log.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x89PNG\r\n", "picture"),
        (b"\xff\xfes\x00t\x00", "UTF-16"),
        (bytes(range(1, 32)) * 20, "binary"),
        (b"\x00" * 100, "NUL"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(data)
    with pytest.raises(PostmortemError, match=reason) as caught:
        list(TextLog(str(path)).records())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="no such file"):
        list(TextLog(str(tmp_path / "none.log")).records())
    with pytest.raises(PostmortemError, match="folder"):
        list(TextLog(str(tmp_path)).records())


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(PostmortemError, match="permissions"):
        list(TextLog(str(tmp_path / "x.log")).records())


def test_codes_inside_a_value_are_removed() -> None:
    assert clean(b"loss=\x1b[31m2\x1b[0m.5\x1b]0;title\x07!\n") == [(0, "loss=2.5!")]


def test_an_excerpt_is_the_last_state_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"one\n10%\r20%\r\nthree\n")
    assert excerpt(str(path), {2, 3}) == {2: "20%", 3: "three"}
