"""Is the gradient clipped while it still carries the loss scale, and what would unscaling it first change?

Facts: `usual`, the norm that is printed; `first`, the first of them, and its `first_step`; `max_norm`; `loss_scale`,
where the log shows one; `dtype`; `optimizer`; `follows_scale`, where the norm is seen to go up and down with the loss
scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.scaled_clipping import (
    ADAM_EPS,
    LEAST,
    MAX_NORMS,
    MET,
    NORMS,
    PARAMETERS,
    SCALES,
    ClippedAsIs,
    ClippedScaled,
    Clipping,
    Optimizer,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Fix, Replay

#: An update that grows by more than this was cut by something other than the threshold.
LONGER: Final = 10.0
#: How far two runs' norms part in their first steps, where one makes updates and the other next to none.
PARTED: Final = 3.0


def _longer(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["step"] > LONGER * before["step"]


def _own_norm(_before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return (after["printed"] / after["own"] - 1).abs() <= MET


class ClipBeforeUnscale(Experiment):
    """A threshold that meets S times the gradient, or a gradient that is that large?"""

    name = "clip-before-unscale"
    question = "Is the gradient clipped while it carries the loss scale, and how much longer is the update without it?"
    cannot_show = (
        "In which order the loop calls unscale_ and clip_grad_norm_: the code says it, the log does not. Nor how a run "
        "trains with longer updates, nor an optimizer other than SGD and Adam; of Adam it is the first step, whose "
        "moments are fresh."
    )
    priors = (
        Prior(
            name="loss scale",
            text=f"{SCALES[0]:g} to {SCALES[1]:,.0f}, log-uniform, where the log shows none",
            because="where dynamic scalers settle, from large losses to small ones",
        ),
        Prior(
            name="own norm",
            text=f"{NORMS[0]:g} to {NORMS[1]:,.0f}; solved so that the printed norm is the logged one",
            because="gradient norms of runs that learn, before clipping",
        ),
        Prior(
            name="max_norm",
            text=f"{MAX_NORMS[0]:g} to {MAX_NORMS[1]:g}, log-uniform, where the log gives none",
            because="the thresholds in use",
        ),
        Prior(
            name="parameters",
            text=f"{PARAMETERS[0]:.0e} to {PARAMETERS[1]:.0e}, log-uniform, over which the norm is spread evenly",
            because="Adam divides each entry by its own size, so that only entries near its eps feel a cut",
        ),
        Prior(
            name="optimizer",
            text=f"SGD, and Adam with eps {ADAM_EPS:g}, where the log names none",
            because="the one follows the size of the gradient, the other its direction",
        ),
    )
    claims = (
        Claim(
            id="longer-update",
            text=f"the update is more than {LONGER:g} times longer",
            knobs=frozenset({"unscale_first", "max_norm"}),
            quantity="step",
            label="length of an update, in learning rates",
            holds=_longer,
        ),
        Claim(
            id="own-norm",
            text="the norm that is printed and compared with max_norm is the gradient's own",
            knobs=frozenset({"unscale_first"}),
            quantity="printed",
            label="gradient norm as printed",
            holds=_own_norm,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Clipping]:
        """Both orders under the optimizer of the log, or under either."""
        named = str(facts.get("optimizer")).lower()
        known: list[Optimizer] = ["Adam"] if "adam" in named else ["SGD"] if "sgd" in named else ["SGD", "Adam"]
        return [kind(optimizer) for kind in (ClippedScaled, ClippedAsIs) for optimizer in known]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """What is printed once the scale is taken off first."""
        effects = [
            replay.effect
            for replay in replays
            if replay.mechanism == ClippedScaled.name and replay.claim == self.claims[1].text and replay.effect
        ]
        if not effects:
            return ()
        usual, first = number(facts, "usual", least=LEAST), number(facts, "first", least=LEAST)
        there = first / usual if usual and first else 1.0  # the first norm is seldom the usual one
        parted = 1.0 if (number(facts, "first_step") or 0.0) <= 1 else PARTED
        low = there / parted * min(effect.low for effect in effects)
        high = there * parted * max(effect.high for effect in effects)
        weights = "the same weights" if parted == 1.0 else f"longer updates move it by up to {parted:g} times"
        return (
            Prediction(
                id=f"{self.name}/grad_norm",
                metric="grad_norm",
                where="the first norm that is printed, at the same step",
                low=low,
                high=high,
                assumptions=["the gradient is clipped before unscale_ now", f"the same data and loss scale, {weights}"],
                statement=f"With unscale_ first the first gradient norm is {shown(low)} to {shown(high)}",
                basis="replay",
                rows=Rows(must="first"),
                was=first or usual,
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the two orders apart without a change."""
        usual, max_norm = (number(facts, key, least=LEAST) for key in ("usual", "max_norm"))
        times = f", {shown(usual / max_norm)} times max_norm now" if usual and max_norm else ""
        return (
            f"scaler.get_scale() beside every gradient norm{times}: a norm that halves when the scale does carries it",
            "the norm of one batch before and after scaler.unscale_(optimizer)",
            "the norm of the same batch in float32 without a scaler: that is the gradient's own",
        )


EXPERIMENT = ClipBeforeUnscale()
