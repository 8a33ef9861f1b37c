"""A penalty -ln(1 - |c|) on a correlation: is it its pole that explodes the gradient, and would a bounded one not?

Facts: `total_norm` (the gradient norm), `usual_norm`, `penalty` or `correlation` as printed, `penalty_weight`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.penalties import (
    APART,
    BELOW,
    KNOBS,
    LENGTH,
    ORDINARY,
    USUAL,
    WEIGHT,
    AmplifiedBelow,
    Penalty,
    Pole,
    Seen,
    ShortVector,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Replay

#: So many times the usual norm is no explosion any more.
NO_EXPLOSION: Final = 10


class PolePenalty(Experiment):
    """Holds the gradient norm against what the pole can give at the correlation that is printed."""

    name = "pole-penalty"
    question = "Does the pole of a penalty on a correlation make the gradient norm, and does a bounded penalty cure it?"
    cannot_show = (
        "That the penalty is -ln(1 - |c|): the log prints its value and no formula. Nor what a bounded penalty does "
        "to the correlation itself, nor a correlation that is averaged over pairs before it is penalised."
    )
    priors = (
        Prior(
            name="1 - |c|",
            text=f"that of the log; else solved for the pole, down to {APART[0]:.2g}, and {ORDINARY[0]:g} to "
            f"{ORDINARY[1]:g}, log-uniform, without it",
            because="2^-24 is what float32 leaves below 1; its next step is 0, and the penalty infinite",
        ),
        Prior(
            name="length of the vector",
            text=f"{LENGTH[0]:g} to {LENGTH[1]:g}, log-uniform; solved where the vector is the short one",
            because="activations around unit size over some to some hundred entries",
        ),
        Prior(
            name="weight of the penalty",
            text=f"that of the log, or {WEIGHT[0]:g} to {WEIGHT[1]:g}, log-uniform",
            because="beside a main loss of order one",
        ),
        Prior(
            name="layers below",
            text=f"multiply a gradient by {BELOW[0]:g} to {BELOW[1]:g}, log-uniform; solved where they amplify",
            because="a few layers of gains around one, and the square root of the number of weights",
        ),
        Prior(
            name="usual norm",
            text=f"that of the log, or {USUAL[0]:g} to {USUAL[1]:g}, log-uniform",
            because="gradient norms before clipping",
        ),
    )
    claims = (
        Claim(
            id="ordinary-again",
            text=f"the gradient norm stays below {NO_EXPLOSION} times the usual",
            knobs=frozenset({"penalty", *KNOBS}),
            quantity="norm",
            label="gradient norm",
            holds=lambda _before, after, _facts, _fix: after["norm"] < NO_EXPLOSION * after["usual"],
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """A gradient norm."""
        return "" if Seen.of(facts) else "needs a gradient norm above 0"

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Penalty]:  # noqa: ARG002 - all compete
        """The pole, a short vector, and layers that amplify."""
        return (Pole(), ShortVector(), AmplifiedBelow())

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """The norm under a fix that brings it back where the pole made it."""
        seen = Seen.of(facts)
        cures = {r.fix.knob: r.fix for r in replays if r.mechanism == Pole.name and r.verdict == "confirmed"}
        if seen is None:
            return ()
        high = NO_EXPLOSION * seen.usual[1]
        return [
            Prediction(
                id=f"pole-penalty/grad_norm@{fix.knob}={fix.new}",
                metric="grad_norm",
                where="every update",
                low=None,
                high=high,
                assumptions=[f"the usual norm is at most {shown(seen.usual[1])}", "the pole made the norm"],
                statement=f"With {fix.knob} = {fix.new}, the gradient norm stays below {shown(high)}",
                basis="replay",
                rows=Rows(),
                fix=fix,
                was=number(facts, "total_norm"),
            )
            for fix in cures.values()
        ]

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the three apart."""
        return (
            "the largest |correlation| of that batch, to eight digits: the penalty's derivative is 1 / (1 - |c|)",
            "the least length of the vectors that are correlated: the gradient is one over it",
            "the gradient norm at these vectors, beside that of the parameters below them",
        )


EXPERIMENT = PolePenalty()
