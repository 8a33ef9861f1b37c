"""A loss that fell and then rose: would a lower peak learning rate, or a warm-up, have kept it down?

Facts: `start`, `low` and `end` of the loss (`end` None: it stopped being finite), `step` of the minimum, `last_step`,
`noise` of the loss, `mid` (the loss half-way between the minimum and the end), `norm_low` and `norm_end` (gradient
norms there), `lr` (the peak), `warmup` (updates).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.courses import LR, NEEDED, UPDATES, Seen
from postmortem.replay.mechanisms.rises import (
    MOMENTA,
    DriftingData,
    FallingCurvature,
    HarderData,
    SteepDirection,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.mechanisms.rises import Course
    from postmortem.replay.protocol import Fact, Fix, Replay

#: A loss has not risen where it ends within this part of its fall above its lowest.
FLAT: Final = 0.1
#: It still learns where it falls by this part of what it fell before.
LEARNS: Final = 0.8


def _no_rise(_before: Observed, after: Observed, facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    seen = Seen.of(facts)
    return after["rise"] <= FLAT + 2 * (seen.noise if seen else 0.0)


def _still_learns(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["fall"] >= LEARNS * before["fall"]


class WarmUp(Experiment):
    """Was the step too long, or were the data others?"""

    name = "warm-up"
    question = "Was the learning rate too high, at its peak or at the start, or did something else make the loss rise?"
    cannot_show = (
        "Where on a real loss the curvature goes, which is no constant and answers to the learning rate itself. Nor "
        "Adam's preconditioner, a fault in low precision, or a single bad batch behind which the loss comes back."
    )
    priors = (
        Prior(
            name="course",
            text=f"a quadratic over {UPDATES} updates; of a longer run each stands for several",
            because="near a minimum every smooth loss is one, and what counts is growth over the whole course",
        ),
        Prior(
            name="usual directions",
            text="1/10,000 to 1/2 of their loss is left at the minimum, log-uniform",
            because="from a run that had converged to one that was still learning",
        ),
        Prior(
            name="steep direction",
            text="its loss grows 10 to 10^14 times over the course, log-uniform; its first size is solved, and "
            "noise adds 0.3 to 30 % of that at every update",
            because="from a hardly visible rise to one out of noise, which a low learning rate does not let die out",
        ),
        Prior(
            name="falling curvature",
            text="1.05 to 4 times the edge at first, 0.05 to 0.95 times in the end, over 0.02 to 3 times the course",
            because="initial curvature is the largest one in many networks (Gilmer et al., 2021)",
        ),
        Prior(
            name="other data",
            text="the floor rises within 1 to 100 % of the rest of the course, log-uniform, or the minimum "
            "moves at an even speed; by how much is solved",
            because="a new part of the data set all at once, or an order that drifts",
        ),
        Prior(
            name="learning rate",
            text=f"that of the log, or {LR[0]:g} to {LR[1]:g}, log-uniform",
            because="from fine-tuning with Adam to SGD",
        ),
        Prior(name="optimizer", text="SGD, and momentum 0.9", because="momentum moves the edge from 2 to 3.8 over lr"),
        Prior(
            name="gradient noise",
            text="solved so that the loss spreads by as much as the log shows; none where it does not tell",
            because="a lower learning rate lowers that spread as well, which is no cure",
        ),
    )
    claims = (
        Claim(
            id="no-rise",
            text=f"the loss does not rise: it ends within {FLAT:.0%} of its fall above its lowest",
            knobs=frozenset({"lr", "warmup"}),
            quantity="rise",
            label="rise over fall",
            holds=_no_rise,
        ),
        Claim(
            id="still-learns",
            text=f"the loss still falls at least {LEARNS:.0%} as far in as many updates",
            knobs=frozenset({"lr", "warmup"}),
            quantity="fall",
            label="fall of the loss",
            holds=_still_learns,
            keeps=True,
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """A course that falls and rises."""
        return "" if Seen.of(facts) else NEEDED

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Course]:  # noqa: ARG002 - all compete
        """A step that is too long, for good or at first, and data that have changed."""
        return (
            *(kind(optimizer) for kind in (SteepDirection, FallingCurvature) for optimizer in MOMENTA),
            HarderData(),
            DriftingData(),
        )

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """Where the loss ends, for a fix that keeps it down under one of the mechanisms."""
        start, low, last = (facts.get(key) for key in ("start", "low", "last_step"))
        cured = {
            replay.fix.new: replay.fix
            for replay in replays
            if replay.claim == self.claims[0].text and replay.verdict == "confirmed"
        }
        if not isinstance(start, int | float) or not isinstance(low, int | float):
            return ()
        most = low + FLAT * (start - low)
        return [
            Prediction(
                id=f"warm-up/loss@{fix.knob}={fix.new}",
                metric="loss",
                where=f"by step {last:g}" if isinstance(last, int | float) else "the last step",
                low=None,
                high=most,
                assumptions=["the step was too long", "same data, the first steps alike"],
                statement=f"With {fix.knob} = {fix.new}, the loss ends at {shown(most)} or below; if it rises at the "
                "same step as before, the learning rate was not the cause",
                basis="replay",
                rows=Rows(must="last", last_step=int(last) if isinstance(last, int | float) else None),
                fix=fix,
                was=number(facts, "end"),
            )
            for fix in cured.values()
        ]

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells a long step from other data."""
        return (
            "the loss of one fixed batch through the rise: it stays where only the data have changed",
            "the gradient norm at every step around the minimum: it grows with the root of a rise that a step makes",
            "the largest curvature (power iteration on Hessian-vector products) times the learning rate, beside 2",
        )


EXPERIMENT = WarmUp()
