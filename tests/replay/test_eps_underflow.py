"""An eps that may be 0 in its dtype: whose it is, and which change is enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay.mechanisms.underflow import AdamIdle, NormalisedFlat
from tests.replay.verdicts import LAB, each, pooled, run

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact

LAYER: dict[str, Fact] = {"eps": 1e-8, "dtype": "fp16", "of": "layer norm"}
RMS: dict[str, Fact] = {**LAYER, "of": "RMS norm"}
ADAM: dict[str, Fact] = {**LAYER, "of": "optimizer"}


def test_an_eps_that_fp16_holds_is_confirmed_and_one_that_it_does_not_is_refuted() -> None:
    # half of fp16's least number is 2.98e-8
    assert pooled(run("eps-underflow", LAYER, eps=1e-5), "finite") == {"eps": "confirmed"}
    assert pooled(run("eps-underflow", LAYER, eps=2.9e-8), "finite") == {"eps": "refuted"}
    assert pooled(run("eps-underflow", LAYER, eps=3.1e-8), "finite") == {"eps": "confirmed"}


@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_an_eps_that_the_dtype_holds_divides_nothing_by_zero(dtype: str) -> None:
    answer = run("eps-underflow", {"eps": 1e-8, "dtype": dtype}, eps=1e-5, optimizer_eps=1e-4)
    assert {replay.verdict for replay in answer.replays} == {"not_reproduced"}
    assert all("not 0" in replay.because for replay in answer.replays)
    assert answer.predictions == ()


def test_in_float32_the_same_eps_is_what_it_says() -> None:
    said = each(run("eps-underflow", LAYER, dtype="fp32"), "finite")
    assert {family: verdict for (_, family), verdict in said.items()} == {
        "layer norm, eps inside the root, float16": "confirmed",
        "layer norm, eps outside the root, float16": "confirmed",
        "layer norm, eps inside the root, float32": "not_reproduced",
        "layer norm, eps outside the root, float32": "not_reproduced",
    }


def test_rescaling_needs_an_eps_whose_inverse_fp16_holds() -> None:
    # 1 / 1e-5 = 100,000 is beyond 65,504, and 1 / 1e-4 is not
    assert pooled(run("eps-underflow", RMS, eps=1e-5), "finite") == {"eps": "refuted"}
    assert pooled(run("eps-underflow", RMS, eps=1e-4), "finite") == {"eps": "confirmed"}


def test_a_larger_eps_makes_adams_steps_finite_and_not_short() -> None:
    # (1 - beta2) g^2 is 0 below g = 5.5e-3: over 1e-7 that is a step of up to 55,000 learning rates, over 1e-2 of 0.55
    small = run("eps-underflow", ADAM, optimizer_eps=1e-7)
    assert pooled(small, "finite") == {"optimizer_eps": "confirmed"}
    assert pooled(small, "within-bound") == {"optimizer_eps": "refuted"}
    assert pooled(run("eps-underflow", ADAM, optimizer_eps=1e-2), "within-bound") == {"optimizer_eps": "confirmed"}
    assert pooled(run("eps-underflow", ADAM, dtype="fp32"), "within-bound") == {"dtype": "confirmed"}


def test_each_eps_is_asked_of_its_own_operation() -> None:
    answer = run("eps-underflow", {"eps": 1e-8, "dtype": "fp16"}, eps=1e-5, optimizer_eps=1e-4)
    asked = {(replay.mechanism, replay.fix.knob) for replay in answer.replays}
    assert asked == {("normaliser", "eps"), ("adam", "optimizer_eps")}


def test_what_is_lost_is_what_the_formula_loses() -> None:
    # in float64, with no code of the package: a layer norm is lost where the variance is 0 in fp16
    mechanism = NormalisedFlat(torch.float16, "inside")
    scenario = mechanism.drawn(LAYER, LAB)
    stored = scenario.values.half()
    deviation = (stored - stored.mean(-1, keepdim=True)).double()
    # fp16 rounds a square below 2.98e-8 to 0, and a mean of squares likewise
    variance = deviation.square().half().double().mean(-1).half()
    expected = (variance == 0).squeeze(-1)
    lost = mechanism.observe(scenario, {})["lost"] > 0
    assert float((lost == expected).double().mean()) > 0.99
    assert bool(expected.any())
    assert not bool(expected.all())


def test_adams_steps_are_bounded_where_moments_are_sound() -> None:
    mechanism = AdamIdle(torch.float32)
    observed = mechanism.observe(mechanism.drawn(ADAM, LAB), {})
    assert float(observed["excess"].max()) <= 1.0 + 1e-6
    assert not bool(mechanism.reproduces(observed, ADAM).any())


def test_the_prediction_and_what_to_print() -> None:
    answer = run("eps-underflow", ADAM, optimizer_eps=1e-4)
    (prediction,) = answer.predictions
    assert (prediction.metric, math.isfinite(prediction.high or math.inf)) == ("loss", True)
    assert any("optimizer.state" in line for line in answer.measure_next)
    assert not any("normaliser" in line for line in answer.measure_next)


def test_a_fix_that_is_no_eps_is_named() -> None:
    with pytest.raises(PostmortemError, match="eps takes"):
        run("eps-underflow", LAYER, eps="small")
