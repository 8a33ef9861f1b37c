"""Real logs, read by postmortem and by hand: `truth.yaml` says what a careful person reads in each of them."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tests.corpus.conftest import CORPUS, run

TRUTH: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("truth.yaml").read_text(encoding="utf-8"))
LOGS = sorted(TRUTH)
#: Colours and cursor moves, which stand inside a printed number too.
ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


def entries(key: str) -> list[Any]:
    """One test parameter for each entry that the truth holds under `key`, log by log."""
    return [
        pytest.param(log, entry, id=f"{log}: {_title(entry)}")
        for log in LOGS
        for entry in _entries(TRUTH[log].get(key))
    ]


def _entries(found: Any) -> list[Any]:  # noqa: ANN401 - a list or a mapping of the YAML file
    return list(found.items()) if isinstance(found, dict) else list(found or ())


def _title(entry: Any) -> str:  # noqa: ANN401 - as above
    if not isinstance(entry, dict):
        return " ".join(map(str, entry))
    return " ".join(
        str(entry[key]) for key in ("name", "split", "meaning", "job", "step_id", "state") if entry.get(key)
    )


def test_the_truth_knows_every_log() -> None:
    assert sorted(path.name for path in CORPUS.iterdir() if path.name != "INDEX.csv") == LOGS


@pytest.mark.parametrize(("log", "expected"), entries("metrics"))
def test_a_metric_is_read_whole(log: str, expected: dict[str, Any]) -> None:
    split, meaning = expected.get("split", "train"), expected.get("meaning")
    found = (
        run(log)
        .metrics.sort("line", "record")
        .filter(pl.col("name") == expected["name"], pl.col("split").fill_null("train") == split)
    )
    if meaning:
        found = found.filter(pl.col("meaning") == meaning)

    assert found.height == expected["n"]
    if found.height:
        values = found["value"]
        assert (values[0], values[-1]) == pytest.approx((expected["first"], expected["last"]), rel=1e-12)
    if "steps" in expected:
        assert _course(found["step"]) == expected["steps"]
    if "epochs" in expected:
        assert _course(found["epoch"]) == expected["epochs"]
    if "unit" in expected:
        assert set(found["step_unit"].drop_nulls()) == {expected["unit"]}


def _course(counter: pl.Series) -> list[float]:
    """First, last and how many distinct; nothing where it never counts."""
    told = counter.drop_nulls()
    return [told[0], told[-1], told.n_unique()] if len(told) else []


@pytest.mark.parametrize("log", LOGS)
def test_no_metric_is_junk(log: str) -> None:
    known = {entry["name"] for entry in TRUTH[log]["metrics"]}
    names = run(log).metrics["name"].unique().to_list()
    assert [
        name
        for name in sorted(names)
        if name not in known and not any(fnmatch(name, also) for also in TRUTH[log]["also"])
    ] == []


@pytest.mark.parametrize("log", LOGS)
def test_no_step_is_another_counter(log: str) -> None:
    within = TRUTH[log]["within"]
    steps = run(log).metrics["step"].drop_nulls()
    strange = steps if not within else steps.filter(~steps.is_between(*within))
    assert sorted(set(strange)) == []


@pytest.mark.parametrize("log", LOGS)
def test_every_value_stands_in_its_line(log: str) -> None:
    lines = [ANSI.sub(b"", raw.replace(b"\0", b"")).decode(errors="replace") for raw in _lines(log)]
    metrics = run(log).metrics
    wrong = [(line, text) for line, text in metrics.select("line", "text").iter_rows() if text not in lines[line - 1]]
    assert wrong == []


def _lines(log: str) -> list[bytes]:
    return (CORPUS / log).read_bytes().split(b"\n")


@pytest.mark.parametrize(("log", "expected"), entries("events"))
def test_events_are_counted(log: str, expected: tuple[str, int]) -> None:
    kind, count = expected
    assert run(log).events.filter(pl.col("kind") == kind).height == count


@pytest.mark.parametrize("log", [log for log in LOGS if "exceptions" in TRUTH[log]])
def test_exceptions_are_found_where_they_end(log: str) -> None:
    raised = run(log).events.filter(pl.col("kind") == "exception").sort("line")
    found = [
        [line, json.loads(fields)["type"].rpartition(".")[2]]
        for line, fields in raised.select("line", "fields").iter_rows()
    ]
    assert found == TRUTH[log]["exceptions"]


@pytest.mark.parametrize(("log", "expected"), entries("jobs"))
def test_a_job_ends_as_it_is_told(log: str, expected: dict[str, Any]) -> None:
    told = run(log).jobs.to_dicts()
    assert [row for row in told if expected.items() <= row.items()] != []


@pytest.mark.parametrize("log", LOGS)
def test_no_job_is_made_up(log: str) -> None:
    told = {entry["job"] for entry in TRUTH[log].get("jobs", ())}
    assert set(run(log).jobs["job"].drop_nulls()) == told


@pytest.mark.parametrize(("log", "expected"), entries("settings"))
def test_a_setting_is_read(log: str, expected: tuple[str, str | float]) -> None:
    key, value = expected
    stated = run(log).settings.filter(pl.col("key") == key)
    column = "value" if isinstance(value, str) else "number"
    assert value in stated[column].to_list()


@pytest.mark.parametrize("log", [log for log in LOGS if "code" in TRUTH[log]])
def test_code_is_no_setting(log: str) -> None:
    assert sorted(set(TRUTH[log]["code"]) & set(run(log).settings["key"])) == []
