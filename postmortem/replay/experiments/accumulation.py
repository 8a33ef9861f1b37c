"""Are accumulated gradients left undivided, and what would dividing them change?

Facts: `grad_accum` (micro batches to an update), `loss` as printed, `usual_loss` (what it should be: the
evaluation's, or that of an untrained model), `grad_norm`, `max_norm` (1 if the log names none), `lr`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.micro_batches import (
    LR,
    MAX_NORM,
    OPTIMIZERS,
    SPREAD,
    Accumulated,
    PrintedSum,
    SummedGradients,
    UnequalMicroBatches,
    factor,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Fix, Replay

#: A length or a norm is as said when it is this close.
MET: Final = 0.10


def _falls_by_their_number(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return (after["norm"] * before["micro_batches"] / before["norm"] - 1).abs() <= MET


def _right_length(_before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return (after["length"] - 1).abs() <= MET


class GradientAccumulation(Experiment):
    """Is it the sum, and does the optimizer care?"""

    name = "accumulation"
    question = (
        "Are accumulated gradients not divided by the number of micro batches, and does that lengthen the update?"
    )
    cannot_show = (
        "Whether the code divides: a loop that prints the sum and uses the mean prints the same loss. Nor what a "
        "longer update does to training, nor Adam's later updates, into which the history of its moments enters."
    )
    priors = (
        Prior(
            name="micro batches",
            text="2 to 64, log-uniform, where the log gives no number",
            because="from two to what a single GPU needs for a large batch",
        ),
        Prior(
            name="tokens of a micro batch",
            text="16 to 4,096, log-uniform, unequal within an update",
            because="from a padded sentence to a packed sequence",
        ),
        Prior(
            name="loss of a micro batch",
            text=f"1/{SPREAD:g} to {SPREAD:g} times the usual one",
            because="batches of one data set rarely differ by more",
        ),
        Prior(
            name="gradients of micro batches",
            text="a common part, and one of their own that is 0.03 to 3 times as large",
            because="from early training, where all batches agree, to late, where noise prevails",
        ),
        Prior(
            name="gradient norm",
            text="that of the log, or 0.1 to 100, log-uniform",
            because="usual norms before clipping",
        ),
        Prior(
            name="learning rate",
            text=f"that of the log, or {LR[0]:g} to {LR[1]:g}, log-uniform",
            because="from fine-tuning with Adam to SGD",
        ),
        Prior(
            name="optimizer",
            text=f"SGD, SGD behind clipping (max_norm {MAX_NORM:g} unless the log names one), Adam's first update",
            because="a factor of the gradient passes the first, is cut by the second, and cancels in the third",
        ),
    )
    claims = (
        Claim(
            id="norm-by-number",
            text="the gradient norm falls to one over the number of micro batches",
            knobs=frozenset({"accumulation"}),
            quantity="norm",
            label="gradient norm",
            holds=_falls_by_their_number,
        ),
        Claim(
            id="right-length",
            text=f"the update becomes as long as that of one large batch, within {MET:.0%}",
            knobs=frozenset({"accumulation", "lr"}),
            quantity="length",
            label="update over that of one large batch",
            holds=_right_length,
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """A loss, and what it should be."""
        return "" if factor(facts) is not None else "needs a printed loss, and what it should be, both above 0"

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Accumulated]:  # noqa: ARG002 - all compete
        """Every way of adding up, under every optimizer."""
        return [
            kind(optimizer) for kind in (SummedGradients, PrintedSum, UnequalMicroBatches) for optimizer in OPTIMIZERS
        ]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """The loss and the norm of a run that divides."""
        usual, norm, count = (number(facts, key) for key in ("usual_loss", "grad_norm", "grad_accum"))
        summed = any(r.mechanism == SummedGradients.name and r.share is not None for r in replays)
        if not usual or not summed:
            return ()
        low, high = usual / SPREAD, usual * SPREAD
        loss = Prediction(
            id="accumulation/loss",
            metric="loss",
            where="first value",
            low=low,
            high=high,
            assumptions=["same weights and data", f"micro batches differ by up to {SPREAD:g} times in their loss"],
            statement=f"Divided by the number of micro batches, the loss is {low:.3g} to {high:.3g}",
            basis="replay",
            rows=Rows(must="first"),
            was=number(facts, "loss"),
        )
        if not norm or not count:
            return (loss,)
        return (
            loss,
            Prediction(
                id="accumulation/grad_norm",
                metric="grad_norm",
                where="first value",
                low=norm / count * (1 - MET),
                high=norm / count * (1 + MET),
                assumptions=["the gradients are summed now", "same weights and data"],
                statement=f"If the gradients are summed now, the norm of their mean is {norm / count:.3g}",
                basis="law",
                rows=Rows(must="first"),
                was=norm,
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the three apart."""
        return (
            "the gradient norm of one batch taken whole, and in micro batches: equal if they are divided",
            "the loss of each micro batch beside the one that is logged for the update",
            "the tokens of each micro batch, and by what its loss is divided",
        )


EXPERIMENT = GradientAccumulation()
