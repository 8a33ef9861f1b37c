"""Of which values a prediction speaks: of one scope, of the training split, of a tensor whose range tells nothing."""

from __future__ import annotations

import math

import pytest

from postmortem.replay.protocol import Prediction, Rows
from postmortem.verify import seen
from tests.report import factory

LOG = factory.log("next.log", 9)


def values(metric: str, rows: Rows, **frames: list[dict[str, object]]) -> list[float]:
    prediction = Prediction(
        id="p", metric=metric, where="", low=0, high=1, assumptions=[], statement="", basis="law", rows=rows
    )
    return [value.number for value in seen.find(factory.run(LOG, **frames), prediction).values]


def metric(line: int, value: float, **more: object) -> dict[str, object]:
    return {"file": "next.log", "line": line, "record": 0, "name": "m", "value": value, "meaning": "value", **more}


@pytest.mark.parametrize(("scope", "expected"), [("stage 1", [2.5, 2.6]), ("stage 2", [0.01]), ("stage 3", [])])
def test_of_one_stage_alone(scope: str, expected: list[float]) -> None:
    rows = [metric(3, 2.6, scope="stage 1"), metric(1, 2.5, scope="stage 1"), metric(2, 0.01, scope="stage 2")]
    assert values("m", Rows(scope=scope), metrics=rows) == expected


def test_of_the_run_are_the_values_without_a_stage_or_else_all() -> None:
    stages = [metric(1, 2.5, scope="stage 1"), metric(2, 0.01, scope="stage 2")]
    assert values("m", Rows(), metrics=stages) == [2.5, 0.01]
    assert values("m", Rows(), metrics=[*stages, metric(3, 7.0)]) == [7.0]


def test_of_training_are_the_values_of_its_split_or_else_all() -> None:
    evaluated = [metric(1, 9.0, split="eval")]
    assert values("m", Rows(), metrics=evaluated) == [9.0]
    assert values("m", Rows(), metrics=[*evaluated, metric(2, 2.0, split="train"), metric(3, 1.0)]) == [2.0, 1.0]


def test_what_was_configured_or_stands_for_none_is_no_value() -> None:
    rows = [metric(1, 9.0, meaning="configured"), metric(2, -1.0, meaning="placeholder"), metric(3, 2.0)]
    assert values("m", Rows(), metrics=rows) == [2.0]


def test_a_loss_may_be_what_stands_for_one() -> None:
    rows = [metric(1, 9.0, name="mse"), metric(2, 4.0, name="mse")]
    assert values("loss", Rows(), metrics=rows) == [9.0, 4.0]
    assert values("loss", Rows(), metrics=[*rows, metric(3, 0.5, name="loss")]) == [0.5]


def test_a_tensor_is_its_two_extremes_or_what_they_do_not_tell() -> None:
    tensors: list[dict[str, object]] = [
        {"file": "next.log", "line": 1, "record": 0, "name": "m", "min": -3.0, "max": 2.0},
        {"file": "next.log", "line": 2, "record": 0, "name": "m", "max": 5.0},
        {"file": "next.log", "line": 3, "record": 0, "name": "m", "min": -1.0, "max": 1.0, "has_inf": True},
    ]
    assert values("m", Rows(frame="tensors"), tensors=tensors) == [-3.0, 2.0, 5.0, math.inf]
    broken = [{**tensors[0], "has_nan": True}]
    assert math.isnan(values("m", Rows(frame="tensors"), tensors=broken)[0])
