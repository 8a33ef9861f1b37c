"""Infinite gradient norms from the first batch on: a loss scaler's search for its scale, or an explosion?

Facts: `inf_steps` (infinite norms in a row), `first_batch` (index of the first), `finite_after` (True: a finite
norm follows; else the log ends before), `loss` (the first), and how the loop is set: `lr`, `max_norm`,
`skip_above`, `init_scale` (65536 if the log names none), `dtype` (fp16, bf16, fp32).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.overflow import (
    FP16_MAX,
    LARGEST_SUM,
    PLACES,
    ExplosionInFloat32,
    ScalerSearch,
    SkipRule,
    halvings,
)
from postmortem.replay.mechanisms.startup import Asked, Scenario
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.reference.skipped_update import batches_until_error
from postmortem.replay.values import FLOAT32_MAX, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Mechanism, Observed
    from postmortem.replay.protocol import Fact, Fix, Replay


def _no_infinite_norm(_before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["infinite_norms"] == 0


def _goes_on(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    """At least every second step that the loop made without the change is still made."""
    return (after["steps"] > 0) & (after["steps"] >= before["steps"] / 2)


class AmpStartup(Experiment):
    """Is it the scaler's search, and what would change it?"""

    name = "amp-startup"
    question = "Are the first infinite gradient norms a loss scaler's search for its scale, and what changes them?"
    cannot_show = (
        "Whether the run had a loss scaler at all: its lines have to show that. Nor how a network of its size "
        "trains afterwards, nor an explosion of more than 64 layers or of saturating units, which keep a loss "
        "finite whatever the weights."
    )
    priors = (
        Prior(
            name="network",
            text="two convolutions with or without layer norm, self-attention, CTC over 32 symbols; width 8",
            because="the largest entry of the gradient decides, and follows the loss far more than the width",
        ),
        Prior(
            name="loss weight",
            text="solved so that the first loss is the logged one; torch's mean per label if none was logged; "
            f"up to {LARGEST_SUM} times that where the log shows more infinite norms",
            because="stands for the reduction and the sequence length; what is printed may be per sequence",
        ),
        Prior(
            name="accumulation",
            text="1, 2, 4 or 8 equal micro batches to an update",
            because="the loss of each is divided by their number before the backward that overflows",
        ),
        Prior(
            name="features",
            text="standard deviation 0.3 to 10, log-uniform",
            because="1 where they are standardised, several in natural-log energies, more in decibels",
        ),
        Prior(
            name="initial weights",
            text="convolutions 0.4 to 1, linear layers 0.02 to 0.5 times He's standard deviation, log-uniform; the "
            "knob weight_init sets that of both",
            because="torch's default for a convolution is 0.41 times He's; linear layers are often set to 0.01",
        ),
        Prior(
            name="explosion",
            text="2 to 64 convolutions, weights 0.01 to 10 times He's, features 0.01 to 10,000, no fp16, no scaler",
            because="from vanishing to absurd: what float32 would have to be given to overflow",
        ),
        Prior(
            name="optimizer",
            text="SGD on the clipped gradient",
            because="before the first finite norm no optimizer makes a step",
        ),
    )
    claims = (
        Claim(
            id="no-infinite-norm",
            text="no infinite norm from the first batch on",
            knobs=frozenset({"lr", "max_norm", "dtype", "init_scale", "weight_init"}),
            quantity="infinite_norms",
            label="infinite norms before the first finite one",
            holds=_no_infinite_norm,
        ),
        Claim(
            id="training-goes-on",
            text="training goes on after the skipped batches",
            knobs=frozenset({"skip_above"}),
            quantity="steps",
            label="optimizer steps",
            holds=_goes_on,
            keeps=True,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Mechanism[Scenario]]:
        """The search, in every place for a skip rule; without the plain loop where the log shows such a rule."""
        rules = [SkipRule(place) for place in PLACES]
        plain = [] if Asked.of(facts).loop.skip_above is not None else [ScalerSearch()]
        return [*plain, *rules, ExplosionInFloat32()]

    def asked(self, mechanism: Mechanism[Any], facts: Mapping[str, Fact], fixes: Sequence[Fix]) -> Sequence[Fix]:
        """A rule that skips on the norm is asked of the mechanisms that skip, and of no other where both are there."""
        searches = isinstance(mechanism, ScalerSearch)
        if not (searches and any(type(other) is ScalerSearch for other in self.mechanisms(facts))):
            return fixes
        return [fix for fix in fixes if isinstance(mechanism, SkipRule) == (fix.knob == "skip_above")]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """When the norm is finite, by the replay and by the law of halving."""
        searches = [
            replay.effect for replay in replays if replay.mechanism == ScalerSearch.name and replay.effect is not None
        ]
        if not searches:
            return ()
        first, scale = int(number(facts, "first_batch") or 0), Asked.of(facts).scale
        count = int(max(effect.before_high for effect in searches))
        last = first + halvings(scale)
        return (
            Prediction(
                id="amp-startup/finite-norm",
                metric="grad_norm",
                where=f"one of the batches up to {first + count}",
                low=0.0,
                high=FLOAT32_MAX,
                assumptions=[
                    f"a dynamic loss scaler that starts at {scale:,.6g}, fp16, the same model and data",
                    "one batch of the log is one update() of the scaler",
                ],
                statement=f"The norm is finite by batch {first + count}, with nothing changed",
                basis="replay",
                rows=Rows(must="any", last_step=first + count),
            ),
            Prediction(
                id="amp-startup/halvings",
                metric="grad_norm",
                where=f"one of the batches up to {last + 1}",
                low=0.0,
                high=FLOAT32_MAX,
                assumptions=[f"a dynamic loss scaler that starts at {scale:,.6g} and halves at each overflow"],
                statement=f"More than {halvings(scale) + 1} infinite norms in a row would be a fault: the scale is "
                f"then below 1, and an entry of the gradient itself above {FP16_MAX:,.0f}, or the scale does not fall",
                basis="law",
                rows=Rows(must="any", last_step=last + 1),
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells a search from an explosion, and a skip rule that stops training from one that does not."""
        _, error = batches_until_error([math.inf, math.inf], skip_above=1.0)
        return (
            "scaler.get_scale() at every batch: it must halve with each infinite norm and then stay",
            "the norm after scaler.unscale_(optimizer), and which parameter's gradient is not finite",
            "the norm of the same batch in float32, without autocast: finite says search, infinite explosion",
            f"every batch that a rule skips: its `continue` must come after update(), else torch answers '{error}'",
        )


EXPERIMENT = AmpStartup()
