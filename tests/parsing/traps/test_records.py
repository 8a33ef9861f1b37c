"""Where one line holds several records, and where one record takes several lines."""

from __future__ import annotations

import json

import pytest

from tests.parsing.traps.reading import read, rows

KILL = "slurmstepd: error: *** JOB 4711 ON n01 CANCELLED AT 2026-01-05T04:10:12 ***"
SCALER = (
    "[2026-01-05 22:16:00,018] [INFO] [loss_scaler.py:181:update_scale] [deepspeed] "
    "OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 64, reducing to 32"
)


def bar(step: int, loss: float) -> str:
    return f" {step}%|#   | {step}/100 [00:{step:02d}<01:00,  1.00it/s, loss={loss}]"


def test_of_a_bar_every_state_is_read_and_the_error_behind_the_last() -> None:
    run = read("\r" + "\r".join(bar(step, 10.0 - step) for step in (1, 2, 3)) + KILL + "\n")
    # record 0 is the empty one before the first carriage return
    assert rows(run.metrics, "line", "record", "step", "value") == [(1, 1, 1, 9.0), (1, 2, 2, 8.0), (1, 3, 3, 7.0)]
    assert rows(run.jobs, "line", "record", "step", "job", "node", "state") == [(1, 3, 3, "4711", "n01", "CANCELLED")]
    assert (run.logs[0].lines, run.logs[0].unread_lines) == (1, 0)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("29948it [35:34,  7.00s/it]", 29948),
        ("29948it [35:34,  7.00it/s]", 29948),
        ("378/2724 [13:58:09<86:18:35, 132.44s/it]", 378),
        ("Epoch 2:  14%|#   | 378/2724 [13:58<86:18,  2.44it/s]", 378),
    ],
)
def test_a_bar_without_a_postfix_places_the_error_behind_it(state: str, step: int) -> None:
    run = read(f"{state}{KILL}\n")
    assert rows(run.jobs, "job", "step", "state", "end") == [("4711", step, "CANCELLED", "2026-01-05T04:10:12")]
    assert rows(run.events, "kind", "step") == [("cancelled", step)]


def test_a_bar_that_has_not_begun_places_nothing() -> None:
    run = read(f"0it [00:00, ?it/s]{KILL}\n")
    assert rows(run.jobs, "job", "step") == [("4711", None)]


def test_a_traceback_behind_a_bar_is_read_to_its_exception() -> None:
    run = read(bar(5, 2.5) + 'Traceback (most recent call last):\n  File "a.py", line 3, in f\nValueError: no batch\n')
    assert rows(run.metrics, "step", "value") == [(5, 2.5)]
    assert rows(run.events, "line", "kind") == [(1, "traceback"), (2, "stack_frame"), (3, "exception")]
    assert json.loads(run.events["fields"][2]) == {"type": "ValueError", "reason": "no batch"}


@pytest.mark.parametrize("gap", ["", "   "])
def test_a_bar_and_a_dict_are_one_place(gap: str) -> None:
    run = read(
        f" 12%|#2  | 12/100 [00:12<01:28,  1.00it/s]{gap}{{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 0.5}}\n"
    )
    assert rows(run.metrics, "step", "step_unit", "epoch", "name", "value") == [
        (12, "update", 0.5, "loss", 2.5),
        (12, "update", 0.5, "lr", 1e-05),
    ]


def test_a_bar_a_scaler_and_a_dict_are_all_read() -> None:
    head, tail = " 12%|#2  | 12/100 [00:12<01:28,  1.00it/s]", "{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 0.5}"
    run = read(f"{head}{SCALER}{tail}\n")
    assert sorted(rows(run.metrics, "step", "name", "value")) == [
        (12, "loss", 2.5),
        (12, "loss_scale", 32.0),
        (12, "loss_scale", 64.0),
        (12, "lr", 1e-05),
    ]
    assert rows(run.events, "kind", "step", "rank") == [("overflow", 12, 0)]


def test_a_dict_before_a_bar_is_read_as_well() -> None:
    run = read(f"{{'loss': 3.5, 'learning_rate': 1e-05, 'epoch': 0.5}}{bar(7, 2.5)}\n")
    assert sorted(rows(run.metrics, "name", "value")) == [("loss", 2.5), ("loss", 3.5), ("lr", 1e-05)]


def test_two_ranks_that_write_into_each_other_raise_one_exception() -> None:
    run = read("step 4: loss=1.5\nNameErrorNameError: : name 'os' is not definedname 'os' is not defined\n")
    assert rows(run.events, "line", "kind") == [(2, "exception")]
    assert json.loads(run.events["fields"][0])["type"] == "NameError"


def test_a_header_places_the_values_below_it() -> None:
    run = read("[step=1/739328]\n    train/CrossEntropyLoss=11.25\n[step=2/739328]\n    train/CrossEntropyLoss=10.5\n")
    assert rows(run.metrics, "line", "step", "split", "name", "value") == [
        (2, 1, "train", "loss", 11.25),
        (4, 2, "train", "loss", 10.5),
    ]


def test_a_record_of_several_lines_is_one_row() -> None:
    run = read(
        "NUMERICAL ISSUE DETECTED: mixed (after conv) [stage 2]\n"
        "   Shape: torch.Size([8, 1200, 384])\n   Has NaN: False\n   Has Inf: True\n"
        "   Min: -123.5\n   Max: 456.25\nstep 2: loss=1.5\n"
    )
    columns = ("line", "scope", "name", "op", "min", "max", "has_nan", "has_inf", "status")
    assert rows(run.tensors, *columns) == [(1, "2", "mixed", "conv", -123.5, 456.25, False, True, "issue")]
    assert rows(run.metrics, "line", "step", "value") == [(7, 2, 1.5)]
    assert run.logs[0].unread_lines == 0


def test_a_block_that_the_log_ends_in_is_kept() -> None:
    run = read("Top exploding parameter:\n  a.b.weight\n  norm = 9.0")
    assert rows(run.tensors, "line", "name", "norm", "max") == [(1, "a.b.weight", 9.0, None)]
    assert run.logs[0].truncated


def test_an_annotation_below_a_value_is_no_value() -> None:
    run = read("step 3: loss=2.5\n   ^^^ 10 times too high\nstep 4: loss=2.25\n")
    assert rows(run.metrics, "line", "value") == [(1, 2.5), (3, 2.25)]
    assert run.logs[0].unread_lines == 1
