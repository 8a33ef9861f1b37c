"""Which files of a folder are one run, in which order, and what is said of the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.sources import folder as folders
from postmortem.sources.folder import gather, survey

if TYPE_CHECKING:
    from pathlib import Path


def _fill(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_histories_then_logs_then_accounts(tmp_path: Path) -> None:
    _fill(
        tmp_path,
        **{
            "train_7204342.err": "Traceback\n",
            "train_7204342.out": "step 1 loss 2\n",
            "sacct_7204342.txt": "JobID|State\n7204342|FAILED\n",
            "metrics.csv": "step,loss\n1,2\n",
            "out/trainer_state.json": json.dumps({"log_history": [{"step": 1, "loss": 2}]}),
        },
    )
    parts = [(part.path.relative_to(tmp_path).as_posix(), part.kind, part.job) for part in gather(tmp_path)]
    assert parts == [
        ("out/trainer_state.json", "trainer_state", None),
        ("metrics.csv", "delimited", None),
        ("train_7204342.out", "text", "7204342"),
        ("train_7204342.err", "text", "7204342"),
        ("sacct_7204342.txt", "sacct", "7204342"),
    ]


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("rank_3.log", 3),
        ("train.rank12.log", 12),
        ("log.txt.rank1", 1),
        ("log.3.txt", 3),
        ("4242_7_log.out", 7),
        ("4242_1_7_log.err", 7),
        ("run/attempt_0/5/stdout.log", 5),
        ("gpu2.log", 2),
        ("rank_3.log.gz", 3),
        ("train.log", None),
        ("slurm-4242_7.out", None),
        ("ranking.log", None),
    ],
)
def test_the_rank_is_in_the_name(tmp_path: Path, name: str, rank: int | None) -> None:
    _fill(tmp_path, **{name: "step 1 loss 2\n"})
    assert [(part.rank, part.kind) for part in gather(tmp_path)] == [(rank, "text")]


def test_attempts_and_ranks_are_in_their_order(tmp_path: Path) -> None:
    names = [
        f"run/attempt_{attempt}/{rank}/std{kind}.log"
        for attempt in (10, 9)
        for rank in (1, 0)
        for kind in ("err", "out")
    ]
    _fill(tmp_path, **dict.fromkeys(names, "step 1 loss 2\n"))
    found = [part.path.relative_to(tmp_path / "run").as_posix() for part in gather(tmp_path)]
    assert found == [
        "attempt_9/0/stdout.log",
        "attempt_9/0/stderr.log",
        "attempt_10/0/stdout.log",
        "attempt_10/0/stderr.log",
        "attempt_9/1/stdout.log",
        "attempt_9/1/stderr.log",
        "attempt_10/1/stdout.log",
        "attempt_10/1/stderr.log",
    ]


def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    left = {
        "model.safetensors": "a checkpoint or weights",
        "train.py": "code",
        "loss.png": "a picture or a document",
        "config.yaml": "a configuration or a data set",
        "requirements.txt": "no log by its name or content",
        "empty.log": "empty",
        ".hidden.log": "a hidden file",
        ".git/x.log": "a hidden folder or one of code",
        "a/b/c/d/e/deep.log": "more than 4 folders deep",
    }
    _fill(tmp_path, **{name: "" if name == "empty.log" else "x\n" for name in left}, **{"train.log": "step 1 loss 2\n"})
    (tmp_path / "link.log").symlink_to(tmp_path / "train.log")
    found = survey(tmp_path)
    assert [part.path.name for part in found.parts] == ["train.log"]
    reasons = {path.relative_to(tmp_path).as_posix(): reason for path, reason in found.left_out}
    files = {name: reason for name, reason in left.items() if "/" not in name}
    folder = {".git": left[".git/x.log"], "a/b/c/d/e": left["a/b/c/d/e/deep.log"], "link.log": "a link"}
    assert reasons == files | folder


def test_several_jobs_are_refused_by_name(tmp_path: Path) -> None:
    _fill(tmp_path, **{"slurm-1001.out": "a\n", "slurm-999.out": "a\n", "slurm-1001.err": "a\n"})
    with pytest.raises(PostmortemError, match=r"2 jobs \(999, 1001\).*'\*1001\*'"):
        gather(tmp_path)


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("slurm-123.out", "123"),
        ("slurm-123_4.out", "123_4"),
        ("job-7204342.log", "7204342"),
        ("7204342.err", "7204342"),
        ("123_4_0_log.out", "123_4"),
        ("20230607_221600.log", None),
        ("train_2023.log", None),
    ],
)
def test_the_job_is_in_the_name(tmp_path: Path, name: str, job: str | None) -> None:
    _fill(tmp_path, **{name: "step 1 loss 2\n"})
    assert [part.job for part in gather(tmp_path)] == [job]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_FILES", 3)
    _fill(tmp_path, **{f"{n}.log": "a\n" for n in range(4)})
    with pytest.raises(PostmortemError, match="more than 3 files"):
        gather(tmp_path)


def test_a_folder_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="no log among its 0 files"):
        gather(tmp_path)
    with pytest.raises(PostmortemError, match="no such folder"):
        gather(tmp_path / "none")
