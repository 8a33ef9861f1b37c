"""A log can print any number: no rule breaks on zeros, negatives, overflows, or values that are not finite."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from postmortem import frames
from postmortem.rules import rule as rule_files
from postmortem.rules.engine import Engine
from postmortem.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES, _ = rule_files.load_folder(rule_files.SHIPPED)
METRICS = sorted({
    "loss_scale", "loss_ctc", "ctc_loss", "d_loss", "g_loss", "a_loss", "b_loss", "codebook_usage",
    *itertools.chain.from_iterable(name.split("|") for rule in RULES for name in rule.requires.metrics),
})  # fmt: skip
SETTINGS = sorted({
    *itertools.chain.from_iterable(name.split("|") for rule in RULES for name in rule.requires.settings),
    "vocab", "eps", "lr", "temperature", "kd_weight", "total_steps", "num_samples", "train_samples", "test_samples",
})  # fmt: skip
BAD = (0.0, -1.0, 1e308, -1e308, 5e-324, float("inf"), float("nan"))


def run_of(values: Sequence[float], setting: float, *, games: bool) -> Run:
    names = [name for name in METRICS if games or name not in {"reward", "score", "d_loss", "g_loss"}]
    metrics: list[dict[str, object]] = [
        {
            "file": "a.log", "line": 10 * step + 1, "record": 0, "step": step, "name": name, "value": value,
            "text": str(value), "meaning": "value", "split": split, "source_name": name,
        }
        for name in names
        for split in (None, "eval")
        for step, value in enumerate(values)
    ]  # fmt: skip
    settings: list[dict[str, object]] = [
        {"line": 1, "key": key, "value": str(setting), "number": setting, "source_name": key} for key in SETTINGS
    ]
    places = itertools.product(("normalise", "l2", None), ("activation", "parameter", "gradient"), BAD)
    tensors: list[dict[str, object]] = [
        {
            "file": "a.log", "line": line, "name": "norm_weight", "scope": "1", "op": op, "kind": kind, "min": value,
            "max": value, "mean": value, "std": value, "rms": value, "norm": value, "min_text": str(value),
            "max_text": str(value), "numel": 4,
        }
        for line, (op, kind, value) in enumerate(places, 1)
    ]  # fmt: skip
    rows: dict[str, list[dict[str, object]]] = {"metrics": metrics, "settings": settings, "tensors": tensors}
    return Run({name: frames.build(name, rows.get(name, ())) for name in frames.FRAMES}, ())


@pytest.mark.parametrize("games", [False, True])
@pytest.mark.parametrize("setting", [0.0, -1.0, float("inf"), float("nan"), 2.0, 1e300])
def test_no_rule_breaks(setting: float, *, games: bool) -> None:
    mixed = run_of([1.0, 2.0, *BAD, *BAD, 0.5, 0.25] * 2, setting, games=games)
    assert Engine(mixed).run(RULES).errors == []


@pytest.mark.parametrize("value", BAD)
def test_no_rule_breaks_on_one_value_over_and_over(value: float) -> None:
    assert Engine(run_of([value] * 25, 1.0, games=False)).run(RULES).errors == []


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_no_rule_breaks_on_few_values(count: int) -> None:
    assert Engine(run_of([3.0, 1e300, 1.0, 2.0, 0.0][:count], 2.0, games=True)).run(RULES).errors == []
