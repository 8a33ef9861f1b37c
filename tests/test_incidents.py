"""The six reconstructed incidents: what each log carries, and what becomes of the fixes that were proposed.

Numbers are changed in copies, and the verdicts must follow: nothing may know an incident.
"""

from __future__ import annotations

import io
import json as as_json
import math
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from postmortem.analysis import analyze
from postmortem.report import markdown, terminal
from postmortem.report.numbers import figure
from postmortem.report.outputs import OUTPUTS, Target
from postmortem.report.text_page import Page

if TYPE_CHECKING:
    from postmortem.incident import Incident
    from postmortem.replay.protocol import Fix
    from postmortem.rules.finding import Finding

LOGS = Path(__file__).parent.parent / "sample_logs"


@cache
def incident(name: str, *fixes: str) -> Incident:
    return analyze(str(LOGS / f"{name}.log"), extra_fixes=fixes)[0]


def changed(tmp_path: Path, name: str, *changes: tuple[str, str], fixes: tuple[str, ...] = ()) -> Incident:
    text = (LOGS / f"{name}.log").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "copy.log"
    path.write_text(text)
    return analyze(str(path), extra_fixes=fixes)[0]


def finding(found: Incident, rule: str) -> Finding:
    return next(entry for entry in found.findings if entry.rule == rule)


def number(found: Incident, rule: str, value: str) -> float:
    held = finding(found, rule).values[value]
    assert isinstance(held, float | int)
    return float(held)


def verdicts(found: Incident, knob: str, new: float | str | None = None) -> set[str]:
    return {v.verdict for v in found.verdicts if v.fix.knob == knob and (new is None or v.fix.new == new)}


def mechanisms(found: Incident, experiment: str) -> dict[str, set[bool]]:
    """Mechanism -> whether it was reproduced."""
    tried: dict[str, set[bool]] = {}
    for replay in found.replays:
        if replay.experiment == experiment:
            tried.setdefault(replay.mechanism, set()).add(replay.verdict != "not_reproduced")
    return tried


# ---- a normaliser's output of 139,264 and of 27,787,264


@pytest.mark.parametrize(("name", "value"), [("job-7204342", 139264), ("job-7204315", 27787264)])
def test_no_normalisation_makes_that_number(name: str, value: int) -> None:
    found = incident(name, "eps=1e-5:1e-3")
    assert found.root_causes == ["impossible/normalised-beyond-bound"]
    cause = found.findings[0]
    assert (cause.rule, cause.confidence) == ("impossible/normalised-beyond-bound", "strong")
    assert "dialect ttt" in cause.message
    assert number(found, cause.rule, "value") == value
    # (value - residual)² + 1 features, with one for the residual
    assert number(found, cause.rule, "needed_width") == pytest.approx((value - 1) ** 2 + 1)
    assert finding(found, "amp/printed-precision").values["dtype"] == "bf16"
    assert finding(found, "norm/undersized-eps").refuted_by == [cause.rule]
    assert verdicts(found, "eps", 1e-3) == {"refuted"}
    tried = mechanisms(found, "normaliser")
    assert tried["honest_small_std"] == {False}
    assert tried["lost_variance"] == {True}
    assert tried["other_divisor"] == {True}
    assert any("min and max of the divisor" in step for step in found.measure_next)


def test_with_weights_and_width_in_the_log_it_is_certain(tmp_path: Path) -> None:
    lines = ("Layer 30:", "head_dim = 64\nLayer 29: ttt_norm_weight: min=0.98, max=1.02\nLayer 30:")
    found = changed(tmp_path, "job-7204342", lines)
    assert found.findings[0].confidence == "certain"
    # by hand: the gain 1.02 times sqrt(63), and 1 for the residual
    assert number(found, "impossible/normalised-beyond-bound", "bound") == pytest.approx(1.02 * math.sqrt(63) + 1)


def test_an_output_within_the_bound_is_no_finding(tmp_path: Path) -> None:
    ranges = [("min=-61696, max=139264", "min=-6, max=7"), ("min=-86016, max=95232", "min=-5, max=6")]
    found = changed(tmp_path, "job-7204342", *ranges, ("min=-75264, max=20608", "min=-7, max=6"))
    assert "impossible/normalised-beyond-bound" not in found.root_causes
    assert "norm/undersized-eps" not in {entry.rule for entry in found.findings}


# ---- distillation at T = 3


def test_kd_run() -> None:
    found = incident("kd-run-3")
    rules = {entry.rule for entry in found.findings}
    assert found.root_causes == []
    assert {"kd/temperature-squared", "nonfinite/loss", "kd/not-learning", "eval/capped-perplexity"} <= rules
    assert "eval/perplexity-of-composite-loss" in rules
    assert finding(found, "nonfinite/clamped").role == "masking"
    assert "at least once" in finding(found, "nonfinite/loss").message
    # by hand from the three pairs: slope 0.6185 +- 12.706 * 0.00474, and 28.34 / 38.3527
    assert number(found, "kd/term-dominates", "weight") == pytest.approx(0.6185, abs=1e-4)
    assert number(found, "kd/term-dominates", "weight_low") == pytest.approx(0.5583, abs=1e-4)
    assert number(found, "kd/term-dominates", "weight_high") == pytest.approx(0.6788, abs=1e-4)
    assert number(found, "kd/term-dominates", "bound") == pytest.approx(28.34 / 38.3527)
    # by hand from the six totals before it: 24.675 +- 2.5706 * 3.546 * sqrt(7 / 6)
    noise = finding(found, "loss/noise-not-trend")
    assert (noise.values["step"], noise.values["value"]) == (600, 28.34)
    assert number(found, "loss/noise-not-trend", "low") == pytest.approx(14.83, abs=0.01)
    assert number(found, "loss/noise-not-trend", "high") == pytest.approx(34.52, abs=0.01)
    assert any("learning rate and the count of optimizer steps" in step for step in found.measure_next)


def test_lower_temperature_is_judged_by_family_and_never_confirmed() -> None:
    found = incident("kd-run-3")
    replays = [replay for replay in found.replays if replay.experiment == "kd-temperature"]
    assert len({replay.family for replay in replays}) >= 5
    assert "confirmed" not in verdicts(found, "temperature")
    prediction = next(entry for entry in found.predictions if entry.metric == "kd_loss")
    assert prediction.low is not None
    assert prediction.high is not None
    # wide families reach beyond the old value, agreeing ones stay far below 4/9 of it
    assert prediction.low < 38.35 * 4 / 9 < 38.35 < prediction.high


def test_the_report_says_what_rules_and_replays_cannot_show() -> None:
    found = incident("kd-run-3")
    text = markdown.render(found)
    assert "*Not shown by this:*" in text
    assert text.count("What this cannot show:") == len(found.cannot_show) == 2


def test_large_logits_do_not_make_torchs_loss_nan() -> None:
    tried = mechanisms(incident("kd-run-3"), "softmax-overflow")
    assert tried["stable_cross_entropy"] == {False}
    assert tried["empty_target"] == {True}
    assert tried["nonfinite_logits"] == {True}


def test_a_loss_that_falls_is_learning(tmp_path: Path) -> None:
    falls = [("22.34", "24.34"), ("27.64", "21.64"), ("27.60", "18.60"), ("22.31", "15.31"), ("19.97", "12.97")]
    found = changed(tmp_path, "kd-run-3", *falls, ("28.34", "9.34"), ("28.6117", "33.6117"), ("38.3527", "12.3527"))
    rules = {entry.rule for entry in found.findings}
    assert not rules & {"kd/not-learning", "loss/noise-not-trend"}


# ---- infinite gradient norms from the first batch on


def test_asr_teacher() -> None:
    found = incident("asr-teacher")
    assert found.root_causes == []
    startup = finding(found, "amp/scaler-startup")
    assert (startup.role, startup.confidence) == ("benign", "strong")
    assert finding(found, "nonfinite/gradient-norm").role == "benign"
    assert verdicts(found, "lr") == {"refuted"}
    assert verdicts(found, "max_norm") == {"refuted"}
    assert verdicts(found, "skip_above") == {"refuted"}
    assert verdicts(found, "dtype", "bf16") == verdicts(found, "dtype", "fp32") == {"confirmed"}
    assert verdicts(found, "init_scale") == {"confirmed"}
    assert any("grad_norm" in entry.metric for entry in found.predictions)


def test_more_infinite_norms_than_halving_explains_are_a_fault(tmp_path: Path) -> None:
    warning = "WARNING - Large gradient norm: inf at batch 2\n"
    more = warning + "".join(warning.replace("batch 2", f"batch {batch}") for batch in range(3, 40))
    found = changed(tmp_path, "asr-teacher", (warning, more))
    assert "amp/scaler-startup" not in {entry.rule for entry in found.findings}
    assert finding(found, "nonfinite/gradient-norm").severity == "high"


# ---- a gradient norm of 7.8e17


def test_cascade() -> None:
    found = incident("cascade-epoch-8")
    assert found.root_causes == []
    assert finding(found, "grad/explosion").severity == "high"
    share = (757541177707724800 / 776853774304905088) ** 2
    assert number(found, "grad/localised", "share") == pytest.approx(share)
    assert round(share, 3) == 0.951
    assert number(found, "grad/localised", "entries") == 293  # (757,541 / 44,241.6)² = 293.19
    assert finding(found, "amp/printed-precision").values["dtype"] == "fp32"
    assert verdicts(found, "eps", 1e-6) == {"refuted"}
    assert verdicts(found, "residual_weight") == {"refuted"}
    tried = mechanisms(found, "gain-cascade")
    assert tried["residual_addition"] == {False}
    assert tried["attention_softmax"] == {False}
    assert tried["layer_norm"] == {True}
    assert any("layer by layer and loss term by loss term" in step for step in found.measure_next)


def test_a_small_norm_needs_no_cause(tmp_path: Path) -> None:
    norms = [
        ("776,853,774,304,905,088", "7.768"),
        ("757,541,177,707,724,800", "7.575"),
        ("44,241,646,367,277,056", "0.4424"),
    ]
    found = changed(tmp_path, "cascade-epoch-8", *norms)
    assert "grad/explosion" not in {entry.rule for entry in found.findings}
    assert number(found, "grad/localised", "share") == pytest.approx((7.575 / 7.768) ** 2)


def test_a_norm_that_a_residual_can_make_is_reproduced_by_it(tmp_path: Path) -> None:
    # 8 = (1 + 1)³ from a usual norm: with stages enough the residual's bound allows the gain
    found = changed(
        tmp_path, "cascade-epoch-8", ("776,853,774,304,905,088", "7,768,537"), ("stages = 3", "stages = 24")
    )
    assert True in mechanisms(found, "gain-cascade")["residual_addition"]


# ---- all tokens labelled in a diagnostic


def test_mlm_diagnostic() -> None:
    found = incident("mlm-diagnostic")
    labeled = finding(found, "mlm/fully-labeled")
    assert labeled.role == "context"
    assert "diagnostic" in labeled.message
    assert "13.42 %" in labeled.message
    assert found.root_causes == []
    assert number(found, "config/effective-batch", "stated") == 96
    assert number(found, "config/effective-batch", "effective") == 288
    tried: dict[str, set[bool]] = {}
    for replay in found.replays:
        if replay.family and "ordinary" in replay.family:
            tried.setdefault(replay.mechanism, set()).add(replay.verdict != "not_reproduced")
    assert tried["mean"] == {False}
    assert tried["sum"] == {True}
    assert any("reduction" in step for step in found.measure_next)


def test_a_training_run_that_labels_all_tokens_is_the_cause(tmp_path: Path) -> None:
    found = changed(tmp_path, "mlm-diagnostic", ("Masked tokens: 496 (13.42%", "Masked tokens: 3,697 (100.0%"))
    assert found.root_causes == ["mlm/fully-labeled"]


# ---- each wrong story of a write-up, and the number in the report that answers it

STORIES = [
    # the std is smaller than eps: honest, it is bounded at any size of it
    ("job-7204342", "eps 1e-5 -> 1e-4", "refuted", "139,264 would need 1.9e+10 values"),
    ("job-7204342", "eps 1e-5 -> 1e-3", "refuted", "65 at most, for any eps"),
    # the input has extreme values
    ("job-7204342", None, None, "at any scale of the input"),
    # the weights are not initialised to 1: not excluded, and a number says from where on
    ("job-7204342", None, None, "from 2,176 on it explains the value alone"),
    # a std that underflows in bf16: one mechanism of three
    ("job-7204342", "dtype bf16 -> fp32", "inconclusive", "lost variance (bfloat16): holds in 100%"),
    ("job-7204315", "eps -> 1e-5", "refuted", "27,787,264 would need 7.7e+14 values"),
    # T squared multiplies the gradient by nine, and makes logits overflow into nan
    ("kd-run-3", "temperature 3 -> 2", "refuted", "the gradient falls by T^2"),
    ("kd-run-3", "temperature 3 -> 2", "refuted", "no nan in 3 x 1024 batches with logits up to 60,000"),
    # any logit above 11 overflows fp16: in a softmax written out alone
    ("kd-run-3", "temperature 3 -> 2", "refuted", "handwritten softmax, empty target, nonfinite logits"),
    # KD of 38 becomes 16.8 and the total 17 to 18
    ("kd-run-3", "temperature 3 -> 2", "inconclusive", "kd_loss starts between"),
    # a huge spike at step 600
    ("kd-run-3", None, None, "The 6 values before it predict 14.8 to 34.5"),
    # the nan that was set to 0 has corrupted the weights
    ("kd-run-3", None, None, "a fresh zero has no gradient"),
    # a perplexity of 485 million, or truly exp(28.4)
    ("kd-run-3", None, None, "is exp(20) to the last digit: a cap"),
    ("kd-run-3", None, None, "28.4074 is above 13.8"),
    # gradients explode: lower the rate, clip harder, skip, start smaller, steady Adam
    ("asr-teacher", "lr 1e-4 -> 1e-5", "refuted", "none has happened before the first batch"),
    ("asr-teacher", "max_norm 1 -> 0.5", "refuted", "inf * 0 = nan"),
    ("asr-teacher", "skip_above -> 10", "refuted", "skip rule (3 of 3 families): holds in 0%"),
    ("asr-teacher", "weight_init 0.01 -> 1e-3", "refuted", "scaler search: holds in 0%"),
    ("asr-teacher", "beta2 0.999 -> 0.98", "refuted", "beta2 is a part of the update"),
    # 50 layers of gain 1.5 (6.4e8 by arithmetic): float32 ends at 1.8e19
    ("asr-teacher", None, None, "is infinite from 1.8e+19 on"),
    # saturated attention explodes backwards
    ("asr-teacher", "attention_clip -> 10", "refuted", "of norm 0.5 at most"),
    # four causes of a norm of 7.8e17: two are bounded, two are not
    ("cascade-epoch-8", "eps 1e-5 -> 1e-6", "refuted", "12 norms in a row need a gain of 21.1 each"),
    ("cascade-epoch-8", "logit_clip -> 100", "refuted", "a gain of 0.125 at most, where 7.77e+15 or more is asked for"),
    ("cascade-epoch-8", "residual_weight 1 -> 0.5", "refuted", "a gain of 8 at most"),
    ("cascade-epoch-8", "gradient_checkpointing -> true", "refuted", "the gradient of 7.769e+17 is the same"),
    ("cascade-epoch-8", "scale_clamp -> 1.5", "inconclusive", "rms rescale: holds in 100%"),
    # labelling all tokens makes a gradient 4.3 times as large: not under a mean
    ("mlm-diagnostic", "label_share 1 -> 0.15", "inconclusive", "never 4.35 times"),
    # 16 x 6 = 96 is the effective batch of three GPUs
    ("mlm-diagnostic", None, None, "the effective batch is 288"),
]


@pytest.mark.parametrize(("name", "fix", "verdict", "number_"), STORIES)
def test_a_wrong_story_meets_a_number(name: str, fix: str | None, verdict: str | None, number_: str) -> None:
    found = incident(name)
    said = {(turned(entry.fix), entry.verdict) for entry in found.verdicts}
    assert fix is None or (fix, verdict) in said
    assert number_ in in_print(name)


def turned(fix: Fix) -> str:
    old = "" if fix.old is None else f"{figure(fix.old)} "
    return f"{fix.knob} {old}-> {figure(fix.new)}"


@cache
def in_print(name: str) -> str:
    """All that a terminal shows of an incident, in one line."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    terminal.render(incident(name), Page(console), verbose=True)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


# ---- any number at all


@pytest.mark.parametrize("number_", ["0", "-1", "nan", "inf", "1e308", "1e-320", "1e400", "9" * 30])
@pytest.mark.parametrize("name", ["job-7204342", "kd-run-3", "asr-teacher", "cascade-epoch-8", "mlm-diagnostic"])
def test_absurd_numbers_are_survived_in_every_output(tmp_path: Path, name: str, number_: str) -> None:
    text = re.sub(r"(?<=[=:] )[-0-9][0-9,.]*|(?<==)[-0-9][0-9,.]*", number_, (LOGS / f"{name}.log").read_text())
    path = tmp_path / "absurd.log"
    path.write_text(text)
    found, run = analyze(str(path), replay=False)
    texts = {form: OUTPUTS.load(form).render(found, run, Target(tmp_path / "report")) for form in OUTPUTS.names()}
    assert as_json.loads(texts["json"])["logs"][0]["lines"] == text.count("\n")
    del texts["github"]  # annotations, of which there are none where nothing is found
    assert all("absurd.log" in text for text in texts.values())
