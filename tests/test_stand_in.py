"""What stands for the loss where a log prints none under a name of one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl
import pytest

from postmortem import frames, stand_in
from postmortem.analysis import analyze

if TYPE_CHECKING:
    from pathlib import Path


def printed(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    """Metrics of name, split and value, one a line."""
    table = [
        {"line": line, "name": name, "split": split, "value": value, "meaning": "value"}
        for line, (name, split, value) in enumerate(rows, 1)
    ]
    return pl.DataFrame(table, schema=frames.schema("metrics"))


@pytest.mark.parametrize(
    ("rows", "told", "losses"),
    [
        ([("bce", "train", 0.7), ("bce", "train", 0.6), ("accuracy", "eval", 0.5)], "bce", 2),
        ([("mae", None, 3.0), ("mse", None, 9.0), ("mae", None, 2.0), ("mse", None, 4.0)], "mse", 2),
        ([("euclid_err", None, 1.5), ("euclid_err", None, 1.25)], "euclid_err", 2),
        ([("train", "train", 2.5), ("valid", "eval", 2.75), ("accuracy", None, 0.5)], None, 2),
        ([("train", "train", 2.5), ("valid", "eval", 2.75), ("train", "train", 1.5)], None, 3),
        ([("train", "train", 2.5), ("train", "train", 1.5)], None, 2),
        ([("train", "train", 0.5), ("train", "train", 0.75)], None, 0),  # a share, which rises
        # a column without a name, which falls, or is not finite; a score rises, and may be below 0
        ([("column_1", None, 2.5), ("column_1", None, 1.5), ("column_1", None, 3.5)], "column_1", 3),
        ([("column_1", None, 2.5), ("column_1", None, math.nan)], "column_1", 2),
        ([("column_1", None, 2.5), ("column_1", None, 3.5)], None, 0),
        ([("column_1", None, -20.0), ("column_1", None, -21.0), ("column_1", None, 19.0)], None, 0),
        # a share of wrong answers; what is evaluated alone; what has a loss, a reward, or no accuracy beside it
        ([("err", None, 0.5), ("err", None, 0.25)], None, 0),
        ([("mse", "eval", 2.5), ("mse", "eval", 2.25)], None, 0),
        ([("loss", None, 2.5), ("mse", None, 9.0), ("mse", None, 4.0)], None, 1),
        ([("mse", None, 9.0), ("mse", None, 4.0), ("reward", None, 1.0)], None, 0),
        ([("bce", None, 2.5), ("kld", None, 0.5), ("bce", None, 2.25), ("kld", None, 0.25)], None, 0),
        ([("train", "train", 2.5), ("valid", "eval", 2.75)], None, 0),
        ([("train", "train", 75.0), ("valid", "eval", 70.0), ("train", "train", 85.0)], None, 0),
    ],
)
def test_what_the_run_minimises_is_its_loss(
    rows: list[tuple[str, str | None, float]], told: str | None, losses: int
) -> None:
    metrics, name = stand_in.named(printed(*rows))
    assert name == told
    assert (metrics["name"] == "loss").sum() == losses
    assert metrics.height == len(rows)


def test_a_finding_names_it_as_the_log_does(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"epoch {n} euclid_err={v}\n" for n, v in enumerate(["1.5", "1.25", "nan", "nan", "nan"])))
    incident, _ = analyze(str(log), replay=False)
    found = next(finding for finding in incident.findings if finding.rule == "nonfinite/loss")
    assert found.role == "root_cause"
    assert found.message.startswith("euclid_err is nan")
    assert [piece.line for piece in found.evidence] == [3, 4, 5]
