"""The logs recorded from real runs: what happened is known, and the healthy twins say whether predictions hold."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from postmortem.analysis import analyze
from postmortem.reading import read
from postmortem.rules.finding import SEVERITIES

LOGS = Path(__file__).parent.parent / "sample_logs"


@pytest.mark.parametrize(
    ("name", "roots"),
    [
        ("ctc-fp16", []),
        ("ctc-fp32", []),
        ("normaliser-self-divided", ["impossible/normalised-beyond-bound"]),
        ("normaliser-healthy", []),
        ("distill-t6", []),
        ("distill-t2", []),
        ("slurm-time-limit", ["slurm/time-limit"]),
        ("slurm-out-of-memory", ["slurm/out-of-memory"]),
        ("slurm-rank-crash", ["python/index-out-of-range"]),
    ],
)
def test_the_cause_is_the_one_that_was_built_in(name: str, roots: list[str]) -> None:
    found, _ = analyze(str(LOGS / f"{name}.log"), replay=False)
    assert found.root_causes == roots
    if not roots:
        assert max((SEVERITIES.index(f.severity) for f in found.findings), default=0) < SEVERITIES.index("medium")


def test_the_loss_weights_that_the_trainer_was_given_are_found() -> None:
    for name in ("distill-t6", "distill-t2"):
        found, _ = analyze(str(LOGS / f"{name}.log"), replay=False)
        term = next(entry for entry in found.findings if entry.rule == "kd/term-dominates")
        # the trainer's own kd_weight
        assert term.values["weight"] == pytest.approx(0.7, abs=0.002)


def test_what_a_lower_temperature_was_predicted_to_do_is_what_the_twin_shows() -> None:
    found, _ = analyze(str(LOGS / "distill-t6.log"), extra_fixes=["temperature=6:2"])
    twin = read(str(LOGS / "distill-t2.log")).metrics.filter(pl.col("step") == 0, pl.col("split").is_null())
    shown = dict(twin.select("name", "value").iter_rows())
    predicted = {entry.metric: (entry.low, entry.high) for entry in found.predictions}
    for metric in ("kd_loss", "loss"):
        low, high = predicted[metric]
        assert low is not None
        assert high is not None
        assert low <= shown[metric] <= high
    # at a ninth of T², KD is not a ninth: refuted where both sides are softened, as they were; no line says that
    told = {(r.mechanism, r.verdict) for r in found.replays if r.claim.startswith("KD falls")}
    assert {verdict for mechanism, verdict in told if mechanism != "student_alone"} == {"refuted", "not_reproduced"}
    assert {v.verdict for v in found.verdicts if v.claim.startswith("KD falls")} == {"inconclusive"}
    assert shown["kd_loss"] > 11


def test_the_norm_is_finite_when_it_was_predicted_to_be() -> None:
    found, run = analyze(str(LOGS / "ctc-fp16.log"))
    startup = next(entry for entry in found.findings if entry.rule == "amp/scaler-startup")
    assert startup.values["inf_steps"] == 6
    finite = run.metrics.filter(pl.col("name") == "grad_norm", pl.col("value").is_finite())["step"][0]
    assert any(f"finite by batch {finite}" in entry.statement for entry in found.predictions)
