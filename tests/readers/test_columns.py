"""Columns of numbers without a heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.parsing import names
from postmortem.parsing.rows import Rows
from postmortem.readers import columns
from tests.readers.reading import load, reader_of

if TYPE_CHECKING:
    from pathlib import Path


def _rows(path: Path) -> list[tuple[object, ...]]:
    frames, info = load(path)
    assert info.reader == "columns"
    return frames["metrics"].select("line", "name", "split", "epoch", "value").rows()


def test_a_first_column_that_rises_counts_and_the_file_says_what_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "val_loss.txt"
    path.write_text("1.0e+00\t2.5\n2.0e+00\t1.5\n4.0e+00\t1.25\n5.0e+00\tnan\n6.0e+00\t0.5\n")
    assert [row[:4] for row in _rows(path)] == [
        (line, "loss", "eval", epoch) for line, epoch in enumerate((1.0, 2.0, 4.0, 5.0, 6.0), 1)
    ]


def test_a_csv_of_numbers_alone_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "codelm.csv"
    path.write_text("0, 37.5, 1.5e+16\n1, 34.0, 6.25e+14\n2, 25.0, 8e+10\n3, 17.5, 31221532.0\n4, 14.0, 1330869.5\n")
    assert _rows(path)[:2] == [(1, "column_2", None, 0.0, 37.5), (1, "column_3", None, 0.0, 1.5e16)]


def test_nor_does_what_a_scheduler_writes_of_a_job(tmp_path: Path) -> None:
    path = tmp_path / "wordvec_slurm.out"
    path.write_text("0.25\t0.5\n0.5\t0.25\n0.75\t0.5\n1.25\t0.125\n1.5\t0.0625\n")
    assert _rows(path)[:2] == [(1, "column_1", None, 1.0, 0.25), (1, "column_2", None, 1.0, 0.5)]


def test_without_one_the_rows_count(tmp_path: Path) -> None:
    path = tmp_path / "errors.log"
    path.write_text("2.5 1.5\n1.5 1.25\n3.5 1.0\n0.5 0.5\n0.25 0.125\n")
    assert _rows(path)[:4] == [
        (1, "column_1", None, 1.0, 2.5),
        (1, "column_2", None, 1.0, 1.5),
        (2, "column_1", None, 2.0, 1.5),
        (2, "column_2", None, 2.0, 1.25),
    ]


def test_a_weight_in_brackets_is_a_number_and_what_is_printed_last_may_be_alone(tmp_path: Path) -> None:
    path = tmp_path / "fit.log"
    path.write_text(
        "".join(f"{step} {step / 8} [ 0.5] [-0.25]\n" for step in range(0, 1200, 100)) + "[ 0.5]\n[-0.25]\n"
    )
    assert _rows(path)[:3] == [
        (1, "column_2", None, 0.0, 0.0),
        (1, "column_3", None, 0.0, 0.5),
        (1, "column_4", None, 0.0, -0.25),
    ]
    assert len(_rows(path)) == 36


def test_what_mlflow_keeps_of_a_metric_has_its_steps(tmp_path: Path) -> None:
    path = tmp_path / "val_loss"
    path.write_text("".join(f"17000000000{step:02d} {2.5 - step / 8} {step * 50}\n" for step in range(6)))
    frames, _ = load(path)
    assert frames["metrics"].select("name", "split", "step", "epoch", "value").rows()[:2] == [
        ("loss", "eval", 0, None, 2.5),
        ("loss", "eval", 50, None, 2.375),
    ]


def test_comments_are_passed_over_and_one_line_may_hold_a_curve(tmp_path: Path) -> None:
    path = tmp_path / "train_loss.txt"
    path.write_text("# 20 epochs, no dropout\n" + "".join(f"{value}e+00\n" for value in (2.5, 1.5, 1.25, 1.0, 0.5)))
    assert reader_of(path) == "columns"
    assert load(path)[0]["metrics"].select("line", "epoch", "name", "value").rows()[:2] == [
        (2, 1.0, "loss", 2.5),
        (3, 2.0, "loss", 1.5),
    ]
    path.write_text(", ".join(f"{2 - step / 16}" for step in range(16)))
    assert load(path)[0]["metrics"].select("line", "epoch", "value").rows()[:2] == [(1, 1.0, 2.0), (1, 2.0, 1.9375)]


def test_a_line_of_another_width_is_unread(tmp_path: Path) -> None:
    path = tmp_path / "loss.txt"
    path.write_text("0.5\n0.25 0.5\nx\n0.125\n")
    rows = Rows(names.load())
    info = columns.read(path, rows)
    assert rows.frames()["metrics"]["value"].to_list() == [0.5, 0.125]
    assert (info.lines, info.unread_lines) == (4, 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("poses.txt", "1 0.5\n2 0.5\n3 0.5\n4 0.5\n5 0.5\n"),  # a name that says nothing
        ("loss.txt", "1 0.5\n2 0.5\n3 0.5\n4 0.5\n"),  # four rows
        ("loss.txt", "1 5\n2 5\n3 5\n4 5\n5 5\n"),  # counts of something
        ("loss.txt", "1 0.5\n2 0.5\n3 0.5\n4 0.5\n5 0.5\nTraceback\n"),  # a log
        ("loss.txt", "step 1\n" * 5),
        ("loss.out", "#  step  rmse_val  lr\n" + "1 0.5 0.1\n" * 5),  # a heading
        ("loss.txt", "# loss\n" + "0.5\n" * 5),
    ],
)
def test_what_may_be_anything_else_is_left_to_others(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert reader_of(path) is None


def test_a_file_without_a_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loss.txt"
    path.write_text("a b\n")
    with pytest.raises(PostmortemError, match="row of numbers"):
        columns.read(path, Rows(names.load()))
