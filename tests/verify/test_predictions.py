"""Predictions against logs in which it is known whether they come true: worked out by hand, and of recorded twins."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postmortem import analysis
from postmortem.errors import PostmortemError
from postmortem.incident import Setting
from postmortem.replay.protocol import Beside, Fix, Prediction, Rows, Verdict
from postmortem.report import json
from postmortem.verify.predictions import verify
from tests.report import factory

if TYPE_CHECKING:
    from postmortem.verify.verification import Verified

SAMPLES = Path(__file__).parents[2] / "sample_logs"
LR = Fix(knob="lr", old=1e-3, new=1e-4)


def prediction(metric: str, low: float | None, high: float | None, **changes: object) -> Prediction:
    whole: dict[str, object] = {
        "id": "p",
        "metric": metric,
        "where": "there",
        "low": low,
        "high": high,
        "assumptions": [],
        "statement": f"{metric} is as it should be",
        "basis": "law",
        "rows": Rows(),
        "rule": "a/b",
        **changes,
    }
    return Prediction.model_validate(whole)


def check(
    folder: Path,
    log: str,
    *predictions: Prediction,
    fixes: tuple[Fix, ...] = (),
    settings: dict[str, str] | None = None,
) -> Verified:
    """One log against an incident that predicts this, and that judged these fixes for the rule a/b."""
    incident = factory.incident(
        factory.log("old.log", 3),
        [],
        predictions=list(predictions),
        verdicts=[
            Verdict(rule="a/b", fix=fix, claim="c", verdict="confirmed", basis="replay", because="") for fix in fixes
        ],
        settings=[Setting(key=key, value=value, origin="log", line=1) for key, value in (settings or {}).items()],
    )
    (folder / "incident.json").write_text(json.render(incident))
    (folder / "next.log").write_text(log)
    return verify([str(folder / "next.log")], str(folder / "incident.json")).logs[0]


def outcome(folder: Path, log: str, predicted: Prediction) -> str:
    return check(folder, log, predicted).predictions[0].outcome


NORMS = "step 0: grad_norm=inf\nstep 1: grad_norm=inf\nstep 2: grad_norm=4.0\nstep 3: grad_norm=80.0\n"


@pytest.mark.parametrize(
    ("low", "high", "rows", "expected"),
    [
        (None, 100.0, Rows(), "broken"),  # inf
        (None, 100.0, Rows(first_step=2), "held"),
        (None, 79.0, Rows(first_step=2), "broken"),
        (None, 79.9, Rows(first_step=2), "held"),  # 80.0 is 79.9 up to rounding to 8 bits
        (0.0, 100.0, Rows(must="first"), "broken"),
        (0.0, 100.0, Rows(must="first", first_step=2), "held"),
        (0.0, 100.0, Rows(must="any", last_step=2), "held"),
        (0.0, 100.0, Rows(must="any", last_step=1), "broken"),
        (0.0, 1.0, Rows(must="any", last_step=17), "not_seen"),  # the log ends before
        (None, 81.0, Rows(must="last", last_step=3), "held"),
        (None, 79.0, Rows(must="last"), "broken"),
        (None, 5.0, Rows(must="last", last_step=2), "held"),
        (None, 81.0, Rows(must="last", last_step=9), "not_seen"),  # the log ends before
        (5.0, None, Rows(first_step=2), "broken"),
        (4.0, None, Rows(first_step=2), "held"),
        (None, 100.0, Rows(first_step=4), "not_seen"),
    ],
)
def test_which_values_count(low: float | None, high: float | None, rows: Rows, expected: str, tmp_path: Path) -> None:
    assert outcome(tmp_path, NORMS, prediction("grad_norm", low, high, rows=rows)) == expected


def test_what_decides_is_the_value_furthest_out_with_its_line(tmp_path: Path) -> None:
    (checked,) = check(tmp_path, NORMS, prediction("grad_norm", None, 10.0, rows=Rows(first_step=2))).predictions
    assert checked.seen == 80.0
    assert [(piece.line, piece.text) for piece in checked.evidence] == [(4, "step 3: grad_norm=80.0")]
    assert checked.because == "grad_norm is 80 (step 3); of 2 values, 1 within"


def test_steps_count_up_to_where_the_counter_starts_again(tmp_path: Path) -> None:
    epochs = "Epoch 1: batch 0: loss=9.0\nEpoch 1: batch 1: loss=8.0\nEpoch 2: batch 0: loss=1.0\n"
    assert outcome(tmp_path, epochs, prediction("loss", None, 2.0, rows=Rows(must="any", last_step=1))) == "broken"
    assert outcome(tmp_path, epochs, prediction("loss", None, 2.0, rows=Rows(must="any"))) == "held"


def test_without_steps_the_places_count(tmp_path: Path) -> None:
    log = "loss=9.0, grad_norm=inf\nloss=8.0, grad_norm=inf\nloss=7.0, grad_norm=3.0\n"
    rows = Rows(must="any", last_step=2)
    assert outcome(tmp_path, log, prediction("grad_norm", 0.0, 1e38, rows=rows)) == "held"
    assert outcome(tmp_path, log, prediction("grad_norm", 0.0, 1e38, rows=Rows(must="any", last_step=1))) == "broken"


def test_a_nan_is_within_nothing(tmp_path: Path) -> None:
    log = "step 1: loss=2.0\nstep 2: loss=nan\n"
    (checked,) = check(tmp_path, log, prediction("loss", None, math.inf)).predictions
    assert checked.outcome == "broken"
    assert checked.seen is not None
    assert math.isnan(checked.seen)


def test_evaluations_are_not_what_training_is_held_against(tmp_path: Path) -> None:
    log = "step 1: loss=2.0\nstep 1: eval_loss=9.0\nstep 2: loss=1.9\n"
    assert outcome(tmp_path, log, prediction("loss", None, 3.0)) == "held"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("step 1: loss=2.0, targets=5\nstep 2: loss=nan, targets=0\nstep 3: loss=2.0, targets=7\n", "held"),
        ("step 1: loss=2.0, targets=5\nstep 2: loss=nan, targets=3\n", "broken"),
        ("step 1: loss=2.0, targets=5\n", "not_seen"),
        ("step 1: loss=nan\n", "not_seen"),
    ],
)
def test_what_is_said_of_the_step_at_which_another_metric_goes_wrong(log: str, expected: str, tmp_path: Path) -> None:
    rows = Rows(beside=Beside(metric="loss"))
    assert outcome(tmp_path, log, prediction("targets", 0.0, 0.0, rows=rows)) == expected


def test_a_tensor_is_held_against_its_bound_in_every_layer(tmp_path: Path) -> None:
    log = "Layer 3: XV output: min=-7.5, max=3.0\nLayer 4: XV output: min=-2.0, max=8.25\n"
    bound = prediction("XV", -8.0, 8.0, rows=Rows(frame="tensors"))
    (checked,) = check(tmp_path, log, bound).predictions
    assert (checked.outcome, checked.seen) == ("broken", 8.25)
    assert "(layer 4)" in checked.because
    assert outcome(tmp_path, log, prediction("XV", -8.3, 8.3, rows=Rows(frame="tensors"))) == "held"
    assert outcome(tmp_path, log, prediction("XK", -8.0, 8.0, rows=Rows(frame="tensors"))) == "not_seen"


def test_what_only_a_person_can_find_is_not_seen(tmp_path: Path) -> None:
    unfound = prediction("grad_norm", 0.0, 1.0, rows=None, where="the same batch")
    (checked,) = check(tmp_path, NORMS, unfound).predictions
    assert checked.outcome == "not_seen"
    assert checked.because == "only a person can tell which values are meant: the same batch"


@pytest.mark.parametrize(
    ("stated", "expected", "because"),
    [
        ("lr: 1e-4\n", "held", "loss is 2"),
        ("lr: 1e-3\n", "not_seen", "it is for lr = 0.0001, here it is 0.001"),
        ("lr: 1.01e-4\n", "held", "loss is 2"),  # a number of two digits is as good as the change itself
        ("", "held", "loss is 2"),  # one change alone was proposed: taken as made
    ],
)
def test_a_prediction_speaks_of_the_run_in_which_its_change_was_made(
    stated: str, expected: str, because: str, tmp_path: Path
) -> None:
    (checked,) = check(tmp_path, f"{stated}step 1: loss=2.0\n", prediction("loss", None, 3.0, fix=LR)).predictions
    assert checked.outcome == expected
    assert checked.because.startswith(because)


def test_of_two_changes_of_one_knob_the_log_has_to_say_which(tmp_path: Path) -> None:
    other = Fix(knob="lr", old=1e-3, new=1e-5)
    both = [prediction("loss", None, 3.0, fix=LR), prediction("loss", None, 1.0, fix=other)]
    unsaid = check(tmp_path, "step 1: loss=2.0\n", *both)
    assert [one.outcome for one in unsaid.predictions] == ["not_seen", "not_seen"]
    assert "--applied lr=VALUE" in unsaid.predictions[0].because
    said = check(tmp_path, "lr: 1e-5\nstep 1: loss=2.0\n", *both)
    assert [one.outcome for one in said.predictions] == ["not_seen", "broken"]
    (tmp_path / "next.log").write_text("step 1: loss=2.0\n")
    stated = verify([str(tmp_path / "next.log")], str(tmp_path / "incident.json"), applied=["lr=1e-4"]).logs[0]
    assert [one.outcome for one in stated.predictions] == ["held", "not_seen"]


def test_of_changes_of_two_knobs_any_may_have_been_made(tmp_path: Path) -> None:
    warmer = Fix(knob="warmup", old=0.0, new=500.0)
    both = [prediction("loss", None, 3.0, fix=LR), prediction("loss", None, 3.0, fix=warmer)]
    unsaid = check(tmp_path, "step 1: loss=2.0\n", *both)
    assert [one.outcome for one in unsaid.predictions] == ["not_seen", "not_seen"]
    assert "--applied warmup=VALUE" in unsaid.predictions[1].because


def test_a_learning_rate_that_is_printed_is_stated_by_its_peak(tmp_path: Path) -> None:
    expected = prediction("loss", None, 3.0, fix=LR)
    warm = "step 1: loss=2.0, lr=1e-5\nstep 2: loss=2.0, lr=1e-4\nstep 3: loss=2.0, lr=5e-5\n"
    assert outcome(tmp_path, warm, expected) == "held"
    (checked,) = check(tmp_path, warm.replace("1e-4", "1e-3"), expected).predictions
    assert checked.because == "it is for lr = 0.0001, here it is 0.001"


@pytest.mark.parametrize(
    ("now", "made", "expected"),
    [
        ("lr: 1e-4\nstep 1: grad_norm=500.0\n", "yes", "not_connected"),
        ("lr: 1e-4\nstep 1: grad_norm=460.0\n", "yes", "not_connected"),  # within a tenth
        ("lr: 1e-4\nstep 1: grad_norm=440.0\n", "yes", "acted"),  # moved, and not enough: broken all the same
        ("lr: 1e-4\nstep 1: grad_norm=5.0\n", "yes", "acted"),
        ("lr: 1e-4\nstep 1: loss=5.0\n", "yes", "not_seen"),
        ("lr: 1e-3\nstep 1: grad_norm=500.0\n", "no", "not_seen"),
        ("step 1: grad_norm=500.0\n", "not_stated", "not_seen"),
    ],
)
def test_a_knob_that_moved_nothing_is_not_connected(now: str, made: str, expected: str, tmp_path: Path) -> None:
    ordinary = prediction("grad_norm", None, 50.0, was=500.0)
    (turned,) = check(tmp_path, now, ordinary, fixes=(LR,)).fixes
    assert (turned.made, turned.outcome) == (made, expected)


def test_where_it_was_allowed_to_stay_only_the_same_number_again_tells(tmp_path: Path) -> None:
    wide = prediction("loss", 0.1, 30.0, rows=Rows(must="first"), fix=LR, was=11.422)
    same = check(tmp_path, "lr: 1e-4\nstep 0: loss=11.422\n", wide, fixes=(LR,))
    assert (same.predictions[0].outcome, same.fixes[0].outcome) == ("held", "not_connected")
    near = check(tmp_path, "lr: 1e-4\nstep 0: loss=11.652\n", wide, fixes=(LR,))
    assert (near.predictions[0].outcome, near.fixes[0].outcome) == ("held", "acted")


def test_a_fix_is_held_against_what_its_own_finding_predicts(tmp_path: Path) -> None:
    others = prediction("grad_norm", None, 50.0, was=500.0, rule="c/d")
    (turned,) = check(tmp_path, "lr: 1e-4\nstep 1: grad_norm=500.0\n", others, fixes=(LR,)).fixes
    assert turned.outcome == "not_seen"


def test_what_else_changed_is_named(tmp_path: Path) -> None:
    log = "lr: 1e-4\neps: 1e-5\nbatch_size: 16\nstep 1: loss=2.0\n"
    was = {"lr": "1e-3", "eps": "1e-8", "batch_size": "16"}
    changes = check(tmp_path, log, prediction("loss", None, 3.0), fixes=(LR,), settings=was).also_changed
    assert [(change.key, change.was, change.now) for change in changes] == [("eps", "1e-08", "1e-05")]


def test_an_incident_that_predicts_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="this incident predicts nothing"):
        check(tmp_path, NORMS)


def test_one_broken_is_1_none_seen_is_2_else_0(tmp_path: Path) -> None:
    ordinary = prediction("grad_norm", None, 100.0)
    codes = []
    for log in ("step 1: grad_norm=5.0\n", NORMS, "step 1: loss=2.0\n"):
        check(tmp_path, log, ordinary)
        codes.append(verify([str(tmp_path / "next.log")], str(tmp_path / "incident.json")).code())
    assert codes == [0, 1, 2]


def test_several_logs_are_held_each_for_itself(tmp_path: Path) -> None:
    check(tmp_path, NORMS, prediction("grad_norm", None, 100.0))
    (tmp_path / "third.log").write_text("step 1: grad_norm=5.0\n")
    (tmp_path / "fourth.log").write_text("step 1: loss=5.0\n")
    paths = [str(tmp_path / name) for name in ("third.log", "next.log", "fourth.log")]
    told = verify(paths, str(tmp_path / "incident.json"))
    assert [log.predictions[0].outcome for log in told.logs] == ["held", "broken", "not_seen"]
    assert told.code() == 1
    assert verify([paths[0], paths[2]], str(tmp_path / "incident.json")).code() == 0


def test_what_a_lower_temperature_was_predicted_to_do_held_in_the_twin(tmp_path: Path) -> None:
    incident, _ = analysis.analyze(str(SAMPLES / "distill-t6.log"), extra_fixes=["temperature=6:2"])
    (tmp_path / "incident.json").write_text(json.render(incident))
    twin, itself = verify(
        [str(SAMPLES / "distill-t2.log"), str(SAMPLES / "distill-t6.log")], str(tmp_path / "incident.json")
    ).logs
    assert {one.prediction.metric: (one.outcome, one.seen) for one in twin.predictions} == {
        "kd_loss": ("held", 11.6516),
        "loss": ("held", 9.6247),
    }
    assert [(one.fix.new, one.outcome) for one in twin.fixes if one.made == "yes"] == [(2.0, "acted")]
    assert itself.note == "this is the log that the predictions come from"
    assert {one.outcome for one in itself.predictions} == {"not_seen"}  # its temperature is 6


def test_the_twin_with_the_true_divisor_is_within_the_bound(tmp_path: Path) -> None:
    incident, _ = analysis.analyze(str(SAMPLES / "normaliser-self-divided.log"), draws=64)
    (tmp_path / "incident.json").write_text(json.render(incident))
    healthy, other = verify(
        [str(SAMPLES / "normaliser-healthy.log"), str(SAMPLES / "job-7204342.log")], str(tmp_path / "incident.json")
    ).logs
    outcomes = {one.prediction.metric: one.outcome for one in healthy.predictions}
    assert (outcomes["XV"], outcomes["grad_norm"]) == ("held", "held")
    (bound,) = [one for one in other.predictions if one.prediction.metric == "XV"]
    assert (bound.outcome, bound.seen) == ("broken", 139264.0)
