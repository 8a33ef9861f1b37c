"""Frames as files: every format gives back what went in, and no text becomes a formula."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem import export
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAME = pl.DataFrame(
    {
        "name": ["loss", "grad_norm", "kd, loss", None],
        "value": [2.5, math.inf, -math.inf, math.nan],
        "step": [1, 2, None, -4],
        "has_nan": [True, False, None, True],
    }
)


def text_of(frame: pl.DataFrame) -> str:
    file = io.BytesIO()
    export.csv(frame, file)
    return file.getvalue().decode()


@pytest.mark.parametrize(
    ("suffix", "read"), [(".parquet", pl.read_parquet), (".arrow", pl.read_ipc), (".csv", pl.read_csv)]
)
def test_a_file_holds_the_frame(tmp_path: Path, suffix: str, read: Callable[[Path], pl.DataFrame]) -> None:
    path = tmp_path / "new" / f"frame{suffix}"
    export.write(FRAME, path)
    assert FRAME.equals(read(path))


def test_json_spells_what_it_has_no_numbers_for(tmp_path: Path) -> None:
    expected = [
        {"name": "loss", "value": 2.5, "step": 1, "has_nan": True},
        {"name": "grad_norm", "value": "inf", "step": 2, "has_nan": False},
        {"name": "kd, loss", "value": "-inf", "step": None, "has_nan": None},
        {"name": None, "value": "nan", "step": -4, "has_nan": True},
    ]
    export.write(FRAME, tmp_path / "x.json")
    export.write(FRAME, tmp_path / "x.jsonl")
    assert json.loads((tmp_path / "x.json").read_text()) == expected
    assert [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()] == expected


def test_an_empty_frame_is_an_empty_file_of_its_format(tmp_path: Path) -> None:
    for suffix in (".json", ".jsonl"):
        export.write(FRAME.clear(), tmp_path / f"x{suffix}")
    assert json.loads((tmp_path / "x.json").read_text()) == []
    assert (tmp_path / "x.jsonl").read_text() == ""
    assert text_of(FRAME.clear()) == "name,value,step,has_nan\n"


def cells(texts: list[str]) -> list[str]:
    """A column of these texts as Python's own reader finds it in the CSV."""
    written = text_of(pl.DataFrame({"line": range(len(texts)), "x": texts}))
    return [row[1] for row in csv.reader(io.StringIO(written, newline=""))][1:]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "-", "-1\n=1", "+1,a"]
)
def test_a_text_that_begins_like_a_formula_is_defused(text: str) -> None:
    assert cells([text]) == ["'" + text]


@pytest.mark.parametrize("text", ["-1.5", "+1e-05", "-inf", "-nan", "-1,024", "-.5", "loss", "a=b", "'=1", ""])
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert cells([text]) == [text]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
def test_whatever_a_log_says_comes_back(texts: list[str]) -> None:
    found = cells(texts)
    assert [cell.removeprefix("'") for cell in found] == [text.removeprefix("'") for text in texts]
    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in found)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match=r"x.xlsx: no format has the suffix '.xlsx'; there are .parquet, .csv"):
        export.write(FRAME, tmp_path / "x.xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(PostmortemError, match=r"file/x\.csv: cannot be written"):
        export.write(FRAME, tmp_path / "file" / "x.csv")
    for suffix in (".parquet", ".arrow", ".csv", ".json"):
        (tmp_path / f"full{suffix}").symlink_to("/dev/full")
        with pytest.raises(PostmortemError, match=f"full{suffix}: cannot be written: .*No space left on device"):
            export.write(FRAME, tmp_path / f"full{suffix}")
