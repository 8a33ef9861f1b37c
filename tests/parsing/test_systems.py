"""What ended a run, and what a number is: lines of systems and trainers as the whole reader takes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from postmortem.parsing import dialects
from postmortem.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.dialect import Dialect
    from postmortem.run import Run


def _read(tmp_path: Path, *lines: str) -> Run:
    path = tmp_path / "run.log"
    path.write_text("step 1: loss=2.0\n" + "".join(f"{line}\n" for line in lines))
    return read(str(path))


def _events(run: Run) -> list[tuple[str, dict[str, object]]]:
    return [(kind, json.loads(fields)) for kind, fields in run.events.select("kind", "fields").iter_rows()]


@pytest.mark.parametrize(
    ("line", "cause", "reason"),
    [
        ("OSError: [Errno 28] No space left on device: '/a/b.pt'", "disk_full", "No space left on device"),
        ("RuntimeError: write failed: Disk quota exceeded", "quota_exceeded", "Disk quota exceeded"),
        (
            "RuntimeError: CUDA error: an illegal memory access was encountered",
            "cuda_illegal_access",
            "CUDA error: an illegal memory access was encountered",
        ),
        ("RuntimeError: DataLoader worker (pid 7) is killed by signal: Killed. ", "dataloader_worker_killed", None),
        (
            "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 1/2 clients joined.",
            "store_timeout",
            "timed out waiting for clients",
        ),
        ("_pickle.UnpicklingError: invalid load key, '<'.", "checkpoint_corrupted", None),
        ("KeyboardInterrupt", "interrupted", None),
    ],
)
def test_an_exception_stays_one_and_gets_a_cause(tmp_path: Path, line: str, cause: str, reason: str | None) -> None:
    [(kind, fields)] = _events(_read(tmp_path, line))
    assert kind == "exception"
    assert fields["cause"] == cause
    if reason is not None:
        assert fields["reason"] == reason


def test_an_exception_that_nobody_knows_is_still_one(tmp_path: Path) -> None:
    [(kind, fields)] = _events(_read(tmp_path, "my.own.OddError: it went wrong"))
    assert (kind, fields) == ("exception", {"type": "my.own.OddError", "reason": "it went wrong"})


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        (
            (
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 6.00 GiB. GPU 2 has a total capacity "
                "of 40.00 GiB of which 2.00 GiB is free. Process 9 has 8.00 GiB memory in use. Including non-PyTorch "
                "memory, this process has 30.00 GiB memory in use. Of the allocated memory 25.00 GiB is allocated by "
                "PyTorch, and 512.00 MiB is reserved by PyTorch but unallocated."
            ),
            {"tried": 6, "gpu": 2, "total": 40, "free": 2, "own": 30, "allocated": 25, "unallocated": 512},
        ),
        (
            (
                "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 8.00 GiB total capacity; 7.00 "
                "GiB already allocated; 5.00 MiB free; 7.50 GiB reserved in total by PyTorch)"
            ),
            {"tried": 20, "gpu": 0, "total": 8, "free": 5, "allocated": 7, "reserved": 7.5},
        ),
    ],
)
def test_out_of_gpu_memory_is_an_exception_and_its_figures(
    tmp_path: Path, line: str, figures: dict[str, float]
) -> None:
    first, second = _events(_read(tmp_path, line))
    assert first[0] == "exception"
    assert first[1]["cause"] == "gpu_out_of_memory"
    assert second[0] == "cuda_out_of_memory"
    assert {name: value for name, value in second[1].items() if not name.endswith("_unit")} == figures


@pytest.mark.parametrize(
    "line",
    [
        "/opt/lib/a.py:3: FutureWarning: the default of eps = 0.5 will change",
        '  warnings.warn("lr = 0.1 is too large")',
        "node01:984:1357 [4] NCCL INFO comm 0x55d1 rank 4 nranks 8 cudaDev 4 busId 90 - Init COMPLETE",
        "In case you get a Segmentation fault, use another version",
        "cuda_fft.cc:485] Unable to register cuFFT factory: Attempting to register factory for plugin cuFFT",
        "[rank1]:[W1010 a.cpp:1496] Warning: destroy_process_group() was not called before program exit",
    ],
)
def test_noise_is_no_failure_and_holds_no_number(tmp_path: Path, line: str) -> None:
    run = _read(tmp_path, line)
    assert set(run.events["severity"]) <= {"info", "warning"}
    assert run.metrics["line"].to_list() == [1]


@pytest.mark.parametrize(
    ("line", "value", "meaning", "step", "unit"),
    [
        (
            "Epoch: [3]  [  10/500]  eta: 0:31:12  loss: 6.5 (7.0)  time: 1.8",
            6.5,
            "value",
            10,
            "batch_of_epoch",
        ),
        (
            "Epoch: [3][ 10/500]\tTime 0.3 ( 0.4)\tData 0.1 ( 0.1)\tLoss 6.5e+00 (7.0e+00)\tAcc@1 0.2 ( 0.1)",
            6.5,
            "value",
            10,
            "batch_of_epoch",
        ),
        (
            "Train: 3 [  10/500 (  2%)]  Loss: 6.5 (7.0)  Time: 0.4s,  9.1/s  (0.5s,  8.1/s)",
            6.5,
            "value",
            10,
            "batch_of_epoch",
        ),
        ("Train Epoch: 1 [640/6000 (11%)]\tLoss: 6.5", 6.5, "value", 640, "unknown"),
        ("INFO:tensorflow:loss = 6.5, step = 100 (0.5 sec)", 6.5, "value", 100, "update"),
        ("steps:   2%|1         | 32/1600 [00:40<32:51,  1.2s/it, avr_loss=6.5]", 6.5, "running_mean", 32, "update"),
        (
            " 1000: 6.5, 7.0 avg loss, 0.001 rate, 5.1 seconds, 64000 images, 12.1 hours left",
            6.5,
            "value",
            1000,
            "update",
        ),
        ("I0101 12:00:00.123456 140 logging_writer.py:48] [100] accuracy=0.5, loss=6.5", 6.5, "value", 100, "update"),
    ],
)
def test_a_loss_is_a_value_or_a_mean_at_a_step_of_a_kind(
    tmp_path: Path, line: str, value: float, meaning: str, step: int, unit: str
) -> None:
    losses = [
        row for row in _read(tmp_path, line).metrics.iter_rows(named=True) if row["line"] == 2 and row["name"] == "loss"
    ]
    assert [(row["value"], row["meaning"], row["step"], row["step_unit"]) for row in losses] == [
        (value, meaning, step, unit)
    ]


def test_every_way_in_which_srun_names_tasks(tmp_path: Path) -> None:
    run = _read(
        tmp_path,
        "srun: error: node01: task 5: Exited with exit code 1",
        "srun: error: node01: tasks 0,2-4: Killed",
        "srun: error: node02: tasks 8-10,12-15: Exited with exit code 143",
    )
    told = [(kind, fields["task"], fields.get("code", fields.get("signal"))) for kind, fields in _events(run)]
    assert told == [("task_failed", "5", 1), ("task_signalled", "0,2-4", "Killed"), ("task_failed", "8-10,12-15", 143)]


@pytest.mark.parametrize("spec", dialects.shipped().all, ids=lambda spec: spec.name)
def test_the_samples_of_a_dialect_are_lines_of_a_log(tmp_path: Path, spec: Dialect) -> None:
    """Every field fits the column that it goes to, and the dialect is the one that reads its lines."""
    run = _read(tmp_path, *(line.sample.text for line in spec.lines), *(block.sample.text for block in spec.blocks))
    assert spec.name in run.logs[0].dialects
    assert run.logs[0].unread_lines == 0
