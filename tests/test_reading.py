"""A log is read with the user's dialects, and the next one is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboardX import SummaryWriter

import postmortem
from postmortem.errors import PostmortemError
from tests import users


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


def _folder(folder: Path) -> Path:
    (folder / "slurm-4711.out").write_text("step 1: loss=2.5\nstep 2: loss=2.25\n")
    (folder / "slurm-4711.err").write_text(
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: bad shape\n'
    )
    (folder / "sacct.txt").write_text("JobID|State|ExitCode\n4711|FAILED|1:0\n4711.0|CANCELLED|0:15\n")
    (folder / "metrics.csv").write_text("step,val_loss\n2,2.75\n")
    (folder / "model.pt").write_bytes(b"\x80\x02weights")
    return folder


def test_a_folder_is_one_run(tmp_path: Path) -> None:
    run = postmortem.read(_folder(tmp_path))
    assert sorted(run.metrics.select("step", "value", "split").rows()) == [
        (1, 2.5, None),
        (2, 2.25, None),
        (2, 2.75, "eval"),
    ]
    assert [Path(log.path).name for log in run.logs] == [
        "metrics.csv",
        "slurm-4711.out",
        "slurm-4711.err",
        "sacct.txt",
    ]
    assert [Path(file.path).name for file in run.left_out] == ["model.pt"]


def test_evidence_in_a_folder_is_told_by_file_and_line(tmp_path: Path) -> None:
    incident, _ = postmortem.analyze(str(_folder(tmp_path)), replay=False)
    assert incident.root_causes[:1] == ["python/exception"]
    (evidence,) = incident.findings[0].evidence
    assert (Path(evidence.file).name, evidence.line, evidence.text) == ("slurm-4711.err", 3, "ValueError: bad shape")
    # the job's own state, not that of its last step
    (job,) = incident.jobs
    assert (job.job, job.state, job.exit_code, job.signal) == ("4711", "FAILED", 1, 0)


def test_a_file_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "rank_1.log.gz").write_bytes(b"\x1f\x8b\x08\x00garbage")
    run = postmortem.read(folder)
    assert {Path(file.path).name for file in run.left_out} == {"model.pt", "rank_1.log.gz"}


def test_records_of_a_binary_file_are_evidence_by_their_values(tmp_path: Path) -> None:
    writer = SummaryWriter(str(tmp_path / "events"))
    for step, value in enumerate([2.5, 2.25, float("nan")]):
        writer.add_scalar("train/loss", value, step)
    writer.close()
    incident, _ = postmortem.analyze(str(tmp_path), replay=False)
    texts = [evidence.text for finding in incident.findings for evidence in finding.evidence]
    assert any("train/loss=nan" in text for text in texts)
