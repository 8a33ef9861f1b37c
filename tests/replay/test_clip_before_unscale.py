"""A gradient that is clipped while it carries the loss scale, against one that is as large as it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.replay.mechanisms.scaled_clipping import ClippedScaled
from tests.replay.verdicts import LAB, each, pooled, run

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

LOG: dict[str, Fact] = {"usual": 5e4, "max_norm": 1.0, "loss_scale": 65536.0}
SGD: dict[str, Fact] = {**LOG, "optimizer": "SGD"}


def test_unscaling_first_gives_the_update_its_length_back() -> None:
    answer = run("clip-before-unscale", SGD, unscale_first="true")
    said = each(answer, "longer-update")
    assert said == {("clipped_scaled", "SGD"): "confirmed", ("clipped_as_is", "SGD"): "refuted"}
    # by hand: 1 / 65536 before; the gradient's own norm, 50000 / 65536 = 0.763, is below max_norm
    effect = next(r.effect for r in answer.replays if r.mechanism == "clipped_scaled")
    assert effect is not None
    assert effect.before_median == pytest.approx(1 / 65536, rel=1e-4)
    assert effect.median == pytest.approx(5e4 / 65536, rel=1e-4)


def test_adam_divides_the_cut_away_until_its_eps_feels_it() -> None:
    said = each(run("clip-before-unscale", {**LOG, "optimizer": "AdamW"}, unscale_first="true"), "longer-update")
    assert said["clipped_scaled", "Adam"] == "inconclusive"
    few = {**LOG, "optimizer": "Adam", "usual": 4e6, "max_norm": 1e3}
    # entries of 1e3 / 65536 / sqrt(n) are 4.8e-7 and more up to a billion parameters: 50 times eps
    assert each(run("clip-before-unscale", few, unscale_first="true"), "longer-update") == {
        ("clipped_scaled", "Adam"): "refuted",
        ("clipped_as_is", "Adam"): "refuted",
    }


def test_where_no_scale_is_in_use_unscaling_first_is_refuted() -> None:
    answer = run("clip-before-unscale", {"usual": 5e3, "max_norm": 1.0, "dtype": "bf16"}, unscale_first="true")
    said = each(answer, "longer-update")
    assert (said["clipped_scaled", "SGD"], said["clipped_as_is", "SGD"]) == ("not_reproduced", "refuted")
    assert pooled(answer, "longer-update") == {"unscale_first": "refuted"}
    assert answer.predictions == ()


def test_a_norm_that_follows_the_scale_is_no_gradient_s_own() -> None:
    answer = run("clip-before-unscale", {**SGD, "follows_scale": True}, unscale_first="true")
    assert each(answer, "longer-update")["clipped_as_is", "SGD"] == "not_reproduced"
    assert pooled(answer, "longer-update") == {"unscale_first": "confirmed"}
    assert pooled(answer, "own-norm") == {"unscale_first": "confirmed"}


def test_a_norm_that_would_be_nothing_without_the_scale_does_not_carry_it() -> None:
    # 3 / 65536 = 4.6e-5 is no ordinary norm
    answer = run("clip-before-unscale", {**SGD, "usual": 3.0}, unscale_first="true")
    assert each(answer, "longer-update")["clipped_scaled", "SGD"] == "not_reproduced"
    assert "4.6e-05" in next(r.because for r in answer.replays if r.mechanism == "clipped_scaled")


def test_a_threshold_that_carries_the_scale_as_well_does_the_same() -> None:
    assert each(run("clip-before-unscale", SGD, max_norm=65536.0), "longer-update")["clipped_scaled", "SGD"] == (
        "confirmed"
    )
    assert pooled(run("clip-before-unscale", SGD, max_norm=2.0), "longer-update") == {"max_norm": "refuted"}


def test_the_printed_norm_is_the_logged_one_and_carries_the_scale() -> None:
    mechanism = ClippedScaled("SGD")
    observed = mechanism.observe(mechanism.drawn(SGD, LAB), {})
    assert observed["printed"].tolist() == pytest.approx([5e4] * LAB.draws, rel=1e-4)
    assert observed["own"].tolist() == pytest.approx([5e4 / 65536] * LAB.draws, rel=1e-4)


def test_the_prediction_is_the_norm_without_the_scale() -> None:
    (prediction,) = run("clip-before-unscale", SGD, unscale_first="true").predictions
    assert prediction.metric == "grad_norm"
    assert prediction.was == 5e4
    assert (prediction.low, prediction.high) == pytest.approx((5e4 / 65536, 5e4 / 65536), rel=1e-3)
    assert any("get_scale" in line for line in run("clip-before-unscale", LOG, unscale_first="true").measure_next)


def test_the_first_norm_is_predicted_from_the_first_as_far_as_runs_keep_together() -> None:
    first: dict[str, Fact] = {**SGD, "first": 44521.62, "first_step": 1}
    (prediction,) = run("clip-before-unscale", first, unscale_first="true").predictions
    # by hand: 44521.62 / 65536 = 0.67935
    assert (prediction.low, prediction.high) == pytest.approx((0.67935, 0.67935), rel=1e-3)
    assert prediction.was == 44521.62
    (later,) = run("clip-before-unscale", {**first, "first_step": 100}, unscale_first="true").predictions
    assert (later.low, later.high) == pytest.approx((0.67935 / 3, 0.67935 * 3), rel=1e-3)
