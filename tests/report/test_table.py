"""Tables of plain text."""

from __future__ import annotations

import polars as pl

from postmortem.report.table import brief, table


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    assert list(table([("a", "bb"), ("long", "c")])) == ["a     bb", "long  c"]


def test_a_cell_hides_nothing_and_is_cut() -> None:
    (line,) = table([("\x1b[2J", "x" * 61)], 60)
    assert line == "\\x1b[2J  " + "x" * 59 + "…"


def test_a_frame_shows_its_first_rows_and_says_once_what_is_the_same() -> None:
    frame = pl.DataFrame(
        {"file": ["a.log"] * 3, "offset": [0, 9, 20], "line": [1, 2, 3], "rank": [None] * 3, "value": [0.5, None, 2.0]}
    )
    assert list(brief("metrics", frame, rows=2, width=80)) == [
        "metrics: 3 rows, 5 columns",
        "in every row: file=a.log",
        "line  value  offset",
        "1     0.5    0",
        "2            9",
        "... 1 rows more",
    ]
    assert list(brief("metrics", frame, rows=3, width=12))[2:] == [
        "line  value",
        "1     0.5",
        "2",
        "3     2.0",
        "no room for: offset",
    ]


def test_an_empty_frame_and_one_row() -> None:
    frame = pl.DataFrame({"line": [7], "name": ["x"]})
    assert list(brief("events", frame.clear(), rows=5, width=80)) == ["events: 0 rows, 2 columns"]
    assert list(brief("events", frame, rows=5, width=80)) == ["events: 1 row, 2 columns", "line  name", "7     x"]
