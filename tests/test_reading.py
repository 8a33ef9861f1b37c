"""A log is read with the user's dialects, and the next one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import postmortem
from postmortem.errors import PostmortemError
from tests import users

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "own.log"
    path.write_text(users.LOG)
    return str(path)


def test_a_dialect_of_the_users_reads_what_nobody_else_does(tmp_path: Path, log: str) -> None:
    rows = postmortem.read(log, formats=[users.dialect(tmp_path)]).metrics.select("line", "step", "name", "value")
    assert rows.rows() == [(1, 4, "loss", 2.0), (2, 4, "loss", 2.0), (3, 4, "loss", 2.0)]
    with pytest.raises(PostmortemError, match="no log of a training run"):
        postmortem.read(log)


def test_a_package_of_the_users_does_so_too(tmp_path: Path, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "[postmortem.formats]\nt = theirs\n\n[postmortem.rules]\nt = theirs.rules\n"
    users.install(monkeypatch, tmp_path, points)
    incident, run = postmortem.analyze(log, replay=False)
    assert run.logs[0].dialects == ["theirs"]
    (finding,) = (finding for finding in incident.findings if finding.rule == "theirs/rule")
    assert finding.message == "the loss is 2.0"
