"""The signals of a run's end against logs of a few lines, worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from postmortem import clock, frames, signals

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, object]


def signal(name: str, **rows: Sequence[Row]) -> pl.DataFrame:
    tables = {frame: frames.build(frame, rows.get(frame, ())) for frame in frames.FRAMES}
    return signals.Signals(tables)[name]


def event(line: int, kind: str, *, rank: int | None = None, ts: str | None = None, **fields: str | float | None) -> Row:
    return {"line": line, "record": 0, "kind": kind, "rank": rank, "ts": ts, "fields": json.dumps(fields)}


def loss(line: int, step: int | None, value: float = 2.0, *, ts: str | None = None, name: str = "loss") -> Row:
    place = {"line": line, "record": 0, "step": step, "ts": ts, "step_unit": "update"}
    return {**place, "name": name, "value": value, "meaning": "value", "source_name": name}


@pytest.mark.parametrize(
    ("stamp", "after_midnight"),
    [
        ("2026-01-05T04:10:12", 15012.0),
        ("2026-01-05 04:10:12,250", 15012.25),
        ("2026/01/05 04:10:12.5", 15012.5),
        ("2026-01-05_04:10:12", 15012.0),
        ("2026-13-05 04:10:12", None),
        ("04:10:12", None),
        (None, None),
    ],
)
def test_a_time_stamp_is_seconds(stamp: str | None, after_midnight: float | None) -> None:
    midnight = pl.DataFrame({"ts": ["2026-01-05 00:00:00"]}).select(clock.seconds("ts")).item()
    found = pl.DataFrame({"ts": [stamp]}, schema={"ts": pl.String}).select(clock.seconds("ts")).item()
    assert (None if found is None else found - midnight) == after_midnight


def test_a_log_of_one_run_is_one_attempt() -> None:
    (row,) = signal("attempts", metrics=[loss(3, 10), loss(4, 20)]).rows(named=True)
    assert (row["line"], row["last_line"], row["last"], row["first_step"], row["last_step"]) == (1, 4, True, 10, 20)
    assert row["ended_by"] is None


def test_a_start_after_a_failure_is_another_attempt() -> None:
    events = [event(5, "traceback"), event(6, "exception", type="ValueError"), event(20, "run_started")]
    found = signal("attempts", events=events, metrics=[loss(3, 10), loss(25, 1)])
    assert found.select("line", "last_line", "ended_by", "last_step").rows() == [
        (1, 19, "exception", 10),
        (20, 25, None, 1),
    ]


def test_a_training_that_starts_is_another_attempt_below_a_failure_alone() -> None:
    failed = [event(5, "exception", type="ValueError"), event(20, "training_starts")]
    again = signal("attempts", events=failed, metrics=[loss(3, 10), loss(25, 1)])
    stages = signal("attempts", events=failed[1:], metrics=[loss(3, 10), loss(25, 1)])
    assert again["line"].to_list() == [1, 20]
    assert stages["line"].to_list() == [1]


def test_a_shell_that_starts_a_program_below_a_failure_is_another_attempt() -> None:
    events = [event(1, "shell_started"), event(5, "exception", type="ValueError"), event(6, "shell_started")]
    found = signal("attempts", events=[*events, event(7, "shell_started")], metrics=[loss(3, 10), loss(8, 1)])
    assert found.select("line", "last_line", "ended_by").rows() == [(1, 5, "exception"), (6, 8, None)]


def test_a_shell_that_starts_a_program_that_says_nothing_leaves_the_failure_the_last_word() -> None:
    events = [event(1, "shell_started"), event(5, "exception", type="ValueError"), event(6, "shell_started")]
    found = signal("attempts", events=events, metrics=[loss(3, 10)])
    assert found.select("line", "last_line", "ended_by").rows() == [(1, 6, "exception")]


def test_a_command_that_is_missing_ends_a_run_only_where_a_shell_starts_another() -> None:
    missing, steps = event(2, "command_missing", command="trainer"), [loss(12, 1), loss(13, 2)]
    again = signal("attempts", events=[missing, event(3, "shell_started")], metrics=steps)
    assert (again.height, signal("attempts", events=[missing], metrics=steps).height) == (2, 1)


def test_a_training_that_goes_on_after_an_exception_is_the_same_attempt() -> None:
    events = [event(5, "traceback"), event(6, "exception", type="ValueError")]
    found = signal("attempts", events=events, metrics=[loss(line, line) for line in (3, 12, 13, 14)])
    assert found.height == 1
    assert found["ended_by"].to_list() == [None]


def test_a_banner_is_a_start_only_where_the_steps_go_back() -> None:
    banner = [{"line": 20, "key": "driver_version", "value": "550.54"}]
    again = signal("attempts", settings=banner, metrics=[loss(3, 10), loss(4, 20), loss(25, 1)])
    on = signal("attempts", settings=banner, metrics=[loss(3, 10), loss(4, 20), loss(25, 30)])
    assert (again.height, on.height) == (2, 1)


def first_lines(events: list[Row], metrics: Sequence[Row] = ()) -> list[int]:
    found = signal("failures", events=[event(1, "traceback"), *events], metrics=metrics)
    return found.filter("first")["line"].to_list()


def test_the_earliest_time_stamp_is_first_where_all_have_one() -> None:
    late = event(4, "exception", rank=0, ts="2026-01-05 04:10:13", type="KeyError")
    early = event(9, "exception", rank=1, ts="2026-01-05 04:10:12", type="ValueError")
    assert first_lines([late, early]) == [9]
    assert first_lines([late, {**early, "ts": None}]) == [4]


def test_an_end_from_outside_is_first_only_if_it_comes_first() -> None:
    limit, fault = event(5, "time_limit"), event(8, "exception", type="ValueError")
    assert first_lines([limit, fault]) == [5]
    assert first_lines([{**fault, "line": 3}, limit]) == [3]


def test_a_later_line_of_the_script_did_not_end_the_program() -> None:
    missing = event(9, "command_missing", command="--disable_tqdm:")
    (found,) = signal("failures", events=[event(5, "nccl_timeout"), missing]).filter("first").rows(named=True)
    assert (found["kind"], found["only_echoes"]) == ("nccl_timeout", True)


def test_a_line_of_the_script_is_first_though_its_task_is_told_of_before_it() -> None:
    events = [event(5, "task_failed"), event(9, "command_missing", command="python:")]
    (found,) = signal("failures", events=events).filter("first").rows(named=True)
    assert (found["kind"], found["only_echoes"]) == ("command_missing", False)


def test_what_the_hardware_did_is_first_though_it_is_printed_last() -> None:
    events = [event(5, "native_exception", reason="broken"), event(7, "cuda_error", cause="gpu_link")]
    (found,) = signal("failures", events=events).filter("first").rows(named=True)
    assert (found["line"], found["tier"]) == (7, "machine")


def test_an_exception_of_cpp_is_told_by_its_text_and_not_by_its_announcement() -> None:
    announced = event(4, "native_exception", type="std::runtime_error")
    of_another = signal("failures", events=[announced, event(5, "nccl_timeout", op="ALLREDUCE")])
    assert of_another.select("line", "tier", "only_echoes").rows() == [(5, "echo", True)]
    own = signal("failures", events=[announced, event(5, "native_exception", reason="vector::_M_range_check")])
    assert own.select("line", "first").rows() == [(4, True), (5, False)]


def test_a_chain_of_exceptions_is_first_as_a_whole() -> None:
    chain = [
        event(3, "exception", type="KeyError"),
        event(5, "exception_chained", how="context"),
        event(8, "exception", type="ValueError"),
        event(12, "exception", type="TypeError"),
    ]
    assert first_lines(chain) == [3, 8]


def test_an_exception_without_traceback_or_known_cause_is_no_failure_unless_it_ends_the_log() -> None:
    unknown = [event(3, "exception", type="ValueError")]
    assert signal("failures", events=unknown, metrics=[loss(4, 1)]).is_empty()
    assert signal("failures", events=[*unknown, event(5, "checkpoint_saved")], metrics=[loss(2, 1)]).is_empty()
    assert signal("failures", events=unknown, metrics=[loss(2, 1)])["line"].to_list() == [3]
    assert signal("failures", events=[event(3, "exception", type="A", cause="disk_full")]).height == 1


def test_an_exception_that_python_ignores_is_no_failure() -> None:
    ignored = [event(2, "exception_ignored"), event(5, "exception", type="AssertionError")]
    assert first_lines(ignored) == []
    assert first_lines([*ignored, event(9, "exception", type="ValueError")]) == [9]


@pytest.mark.parametrize(
    ("kind", "reason", "cause"),
    [
        ("AssertionError", "Loss is NaN", "nan_found"),
        ("ValueError", "non-finite gradient in layer 3", "nan_found"),
        ("RuntimeError", "the output is not finite", "nan_found"),
        ("KeyError", "'nan'", None),
        ("ValueError", "the finance table is infeasible", None),
        ("RuntimeError", "cuda: out of range", None),
    ],
)
def test_a_program_that_refuses_what_is_not_finite_says_so(kind: str, reason: str, cause: str | None) -> None:
    events = [event(2, "traceback"), event(3, "exception", type=kind, reason=reason)]
    assert signal("failures", events=events)["cause"].to_list() == [cause]


def test_a_failure_says_after_which_step() -> None:
    found = signal("failures", events=[event(2, "segfault"), event(9, "segfault")], metrics=[loss(5, 1200)])
    assert found["place"].to_list() == ["before any step", "after step 1,200"]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([loss(2, None) | {"epoch": 3.0}, loss(9, None) | {"epoch": 4.0}], "after a line of epoch 3"),
        ([loss(2, None)], "after the training began"),
        ([loss(2, 7) | {"epoch": 3.0}], "after step 7"),
        ([loss(9, None) | {"epoch": 3.0}], "before any step"),
    ],
)
def test_where_no_step_is_logged_the_place_is_what_else_was_counted(rows: list[Row], place: str) -> None:
    found = signal("failures", metrics=rows, events=[event(5, "process_killed")])
    assert found["place"].to_list() == [place]


@pytest.mark.parametrize(("counter", "place"), [(2_101, "with a counter at 2,101"), (0, "before any step")])
def test_a_bar_is_told_of_where_nothing_else_counts(counter: int, place: str) -> None:
    found = signal("failures", events=[event(5, "process_killed") | {"step": counter}])
    assert found["place"].to_list() == [place]


def test_memory_of_others_is_what_remains_of_the_card() -> None:
    card = {"total": 40.0, "total_unit": "GiB", "free": 1.5, "free_unit": "GiB", "own": 29.5, "own_unit": "GiB"}
    figures: dict[str, Any] = {"tried": 512.0, "tried_unit": "MiB", **card}
    (row,) = signal("gpu_memory", events=[event(3, "cuda_out_of_memory", **figures)]).rows(named=True)
    assert row["tried"] == 512 * 2**20
    assert row["others"] == 9 * 2**30
    assert row["allocated"] is None


def test_the_reserve_of_older_messages_is_reserved_less_allocated() -> None:
    figures: dict[str, Any] = {"allocated": 14.25, "allocated_unit": "GiB", "reserved": 14.75, "reserved_unit": "GiB"}
    assert signal("gpu_memory", events=[event(3, "cuda_out_of_memory", **figures)])["unallocated"].item() == 2**29


def test_the_pace_changes_where_the_step_time_doubles() -> None:
    times = [9.0, 5.0, 3.0] + [1.0, 1.1, 0.9, 1.0] * 4 + [2.0, 2.1, 1.9, 2.0] * 2
    rows = [loss(line, line, value, name="step_time") for line, value in enumerate(times, 1)]
    (row,) = signal("pace", metrics=rows).rows(named=True)
    assert (row["line"], row["before"], row["after"], row["slower"]) == (20, 1.0, 2.0, 2.0)
    assert (row["values_before"], row["values_after"], row["overlap"]) == (16, 8, 0.0)


def test_throughput_that_halves_is_twice_as_slow() -> None:
    rows = [loss(n, n, 100.0 if n <= 15 else 50.0, name="throughput") for n in range(1, 31)]
    assert signal("pace", metrics=rows)["slower"].to_list() == [2.0]


def test_silence_is_from_the_last_progress_to_the_end() -> None:
    rows = [loss(n, n, ts=f"2026-01-05 04:00:{10 * n:02}") for n in range(1, 6)]
    ends = [event(9, "time_limit", end="2026-01-05T04:07:50")]
    (row,) = signal("silences", metrics=rows, events=ends).rows(named=True)
    assert (row["silent"], row["usual"], row["longest"], row["pauses"], row["zones"]) == (420.0, 10.0, 10.0, 4, False)


def test_two_clocks_an_hour_apart_are_no_silence() -> None:
    rows = [loss(n, n, ts=f"2026-01-05 04:00:{10 * n:02}") for n in range(1, 6)]
    ends = [event(9, "time_limit", end="2026-01-05T05:00:55")]
    assert signal("silences", metrics=rows, events=ends)["zones"].to_list() == [True]


def test_a_resume_is_compared_with_the_loss_before_it() -> None:
    rows = [loss(n, 10 * n, float(n)) for n in range(1, 6)]
    rows += [loss(10, 30, 7.0), loss(11, 40, 8.0), loss(12, 50, 9.0)]
    (row,) = signal("resumes", metrics=rows, events=[event(8, "resumed")]).rows(named=True)
    assert (row["step_before"], row["step_after"], row["restored"]) == (50, 30, True)
    assert (row["loss_before"], row["loss_after"], row["lines"]) == (3.0, 8.0, [5, 10])
    assert row["spread"] == pytest.approx(2.5**0.5)  # of 1 to 5: sum of squares 10 over 4
