"""The values of a log of which a prediction speaks, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from postmortem import stand_in
from postmortem.reach import MEANINGS

if TYPE_CHECKING:
    from postmortem.replay.protocol import Beside, Prediction, Rows
    from postmortem.run import Run


class Value(NamedTuple):
    """A number that a log shows: the extremes of a tensor are two."""

    number: float
    file: str
    line: int
    where: str  # "step 6", "layer 29"; empty where the log does not tell


class Values(NamedTuple):
    """The values in the order of the log, or why there are none."""

    values: list[Value]
    missing: str = ""


def find(run: Run, prediction: Prediction) -> Values:
    """The values of `run` that `prediction.rows` asks for."""
    rows = prediction.rows
    if rows is None:
        return Values([], f"only a person can tell which values are meant: {prediction.where}")
    if rows.frame == "tensors":
        return _tensors(run.tensors, prediction.metric)
    frame = _metric(run.metrics, prediction.metric, rows.scope, rows.split)
    if frame.is_empty():
        of_split = "" if rows.split is None else f" of {rows.split}"
        return Values([], f"the log prints no {prediction.metric}{of_split}")
    if rows.beside is not None:
        there = _beside(run.metrics, rows.beside)
        if there.is_empty():
            never = "is finite throughout" if rows.beside.above is None else f"is never above {rows.beside.above:,.6g}"
            return Values([], f"{rows.beside.metric} {never}")
        frame = frame.join(there, on=["step", "epoch", *_lines(there)], how="semi", nulls_equal=True)
        if frame.is_empty():
            return Values([], f"the log prints no {prediction.metric} where {rows.beside.metric} {_wrong(rows.beside)}")
    return _within(frame, rows)


def _metric(metrics: pl.DataFrame, name: str, scope: str | None = None, split: str | None = None) -> pl.DataFrame:
    """The rows of a metric of one scope, or of the run, in the order of the log.

    Of the run are those without a scope, and of the split, or of the training, or all where none is that. As for the
    rules, a log that prints no loss under a name of one may have what stands for it.
    """
    metrics = stand_in.named(metrics).metrics if name == stand_in.LOSS else metrics
    printed = metrics.filter(pl.col("meaning").is_in(MEANINGS))
    frame = printed.filter(pl.col("name") == name)
    # findings name a metric as the log does
    frame = printed.filter(pl.col("source_name") == name) if frame.is_empty() else frame
    own = frame.filter(pl.col("scope").is_null() if scope is None else pl.col("scope") == scope)
    frame = own if scope is not None or not own.is_empty() else frame
    chosen = frame.filter(pl.col("split") == split if split else pl.col("split").fill_null("train") == "train")
    if chosen.is_empty():
        chosen = frame if split is None else frame.filter(pl.col("split").is_null())
    return chosen.sort("file", "line", "record")


def _beside(metrics: pl.DataFrame, beside: Beside) -> pl.DataFrame:
    frame = _metric(metrics, beside.metric)
    value = pl.col("value")
    wrong = ~value.is_finite() if beside.above is None else (value > beside.above) | value.is_nan()
    return frame.filter(wrong)


def _lines(there: pl.DataFrame) -> list[str]:
    """Without steps, values belong together that stand in one line."""
    return ["file", "line"] if there["step"].null_count() else []


def _wrong(beside: Beside) -> str:
    return "is not finite" if beside.above is None else f"is above {beside.above:,.6g}"


def _within(frame: pl.DataFrame, rows: Rows) -> Values:
    """The rows between the steps, up to where the counter starts again. Without steps the places count, from 0."""
    if rows.first_step is None and rows.last_step is None:
        return Values(_values(frame))
    steps = frame["step"] if not frame["step"].null_count() else pl.Series("step", range(frame.height))
    again = (steps.diff() < 0).fill_null(value=False).cum_sum() > 0
    last = steps.filter(~again).max()
    first, end = rows.first_step or 0, rows.last_step
    chosen = ~again & (steps >= first)
    if end is not None:
        chosen &= steps <= end
    kept = frame.filter(chosen)
    # what is said of some batch up to the last one is open as long as the log ends before it
    ended = (
        f"the log ends at step {last}, before {end}" if end is not None and isinstance(last, int) and last < end else ""
    )
    return Values(_values(kept), ended or ("" if kept.height else f"the log prints no step from {first} on"))


def _values(frame: pl.DataFrame) -> list[Value]:
    return [
        Value(number, file, line, "" if step is None else f"step {step}")
        for number, file, line, step in frame.select("value", "file", "line", "step").iter_rows()
    ]


def _tensors(tensors: pl.DataFrame, name: str) -> Values:
    """The extremes of a tensor in every layer; nan where the log says that it holds one."""
    frame = tensors.filter(pl.col("name") == name).sort("file", "line", "record")
    values = []
    columns = ("min", "max", "has_nan", "has_inf", "file", "line", "scope")
    for low, high, nan, inf, file, line, scope in frame.select(columns).iter_rows():
        where = "" if scope is None else f"layer {scope}"
        numbers = [float("nan")] if nan else [float("inf")] if inf else [n for n in (low, high) if n is not None]
        values += [Value(number, file, line, where) for number in numbers]
    return Values(values, "" if values else f"the log prints no range of {name}")
