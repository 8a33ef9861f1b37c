"""An output whose RMS has collapsed: is it the residual's weight, and what does rescaling make of it?

Facts: `input_rms` and `output_rms` of one or more `stages`, `target_rms` that the output is rescaled to (None: the
input's), `residual_weight`, `rms_eps` (1e-8 if the log names none).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.residuals import (
    MOST_STAGES,
    NEEDED,
    RMS_EPS,
    Cancelling,
    Residual,
    Seen,
    ShrunkProjection,
    WeakStages,
)
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Replay

#: A stage has not collapsed that leaves this part of the RMS.
KEPT: Final = 0.1
#: A factor below this is no amplification.
AMPLIFIED: Final = 10
#: How close the rescaled output has to come to its target.
MET: Final = 0.10


class ResidualCollapse(Experiment):
    """Which part of a residual stage shrinks its output, and which fix brings it back?"""

    name = "residual-collapse"
    question = "Does another weight of the residual bring back an output whose RMS has collapsed?"
    cannot_show = (
        "What training makes of another weight: f is as it was at the logged moment, and linear. Nor why a "
        "projection has shrunk, or why f points against the residual."
    )
    priors = (
        Prior(
            name="weight of the residual",
            text="that of the log, or 0.01 to 1 times the largest that allows the fall, log-uniform",
            because="from hardly any residual to a full one",
        ),
        Prior(
            name="f of a stage",
            text="linear; at a right angle to its input, or against the residual up to what is left of it",
            because="an untrained f in many dimensions is at a right angle to its input; one that cancels is learned",
        ),
        Prior(
            name="projection",
            text="1; solved where it is the projection, behind an f of 0.1 to 10 times the residual",
            because="the log prints no weights",
        ),
        Prior(
            name="stages",
            text=f"that of the log, or 1; at most {MOST_STAGES}, which share the fall equally",
            because="the RMS values are printed per stage where they are printed at all",
        ),
        Prior(name="rms_eps", text=f"{RMS_EPS:g}", because="the usual guard where eps is added to a norm"),
    )
    claims = (
        Claim(
            id="output-kept",
            text=f"the output keeps at least {KEPT:.0%} of its input's RMS",
            knobs=frozenset({"residual_weight"}),
            quantity="ratio",
            label="output RMS over input RMS",
            holds=lambda _before, after, _facts, _fix: after["ratio"] >= KEPT,
        ),
        Claim(
            id="not-amplified",
            text=f"rescaling to the target multiplies gradients by less than {AMPLIFIED}",
            knobs=frozenset({"residual_weight", "rms_eps", "scale_clamp"}),
            quantity="scale",
            label="factor of the rescaling, forward and backward",
            holds=lambda _before, after, _facts, _fix: after["scale"] < AMPLIFIED,
        ),
        Claim(
            id="target-met",
            text=f"the rescaled output still has its target RMS, within {MET:.0%}",
            knobs=frozenset({"residual_weight", "rms_eps", "scale_clamp"}),
            quantity="met",
            label="rescaled RMS over target",
            holds=lambda _before, after, _facts, _fix: (after["met"] - 1).abs() <= MET,
            keeps=True,
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """Two RMS values."""
        return "" if Seen.of(facts) else NEEDED

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Residual]:  # noqa: ARG002 - all compete
        """A small weight, an f against the residual, and a projection behind it."""
        return (WeakStages(), Cancelling(), ShrunkProjection())

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """The output's RMS under a weight that brings it back, over all mechanisms that it does so in."""
        before = number(facts, "input_rms")
        held = [r for r in replays if r.claim == self.claims[0].text and r.verdict == "confirmed" and r.effect]
        if before is None:
            return ()
        predictions = []
        for new in dict.fromkeys(replay.fix.new for replay in held):
            effects = [replay.effect for replay in held if replay.fix.new == new and replay.effect is not None]
            low, high = before * min(e.low for e in effects), before * max(e.high for e in effects)
            predictions.append(
                Prediction(
                    id=f"residual-collapse/output_rms@residual_weight={new}",
                    metric="output_rms",
                    where="the stage whose RMS collapsed",
                    low=low,
                    high=high,
                    assumptions=["same weights and data", "the projection behind the residual has not shrunk"],
                    statement=f"With residual_weight = {new}, output_rms is {shown(low)} to {shown(high)}; if it "
                    "stays, a projection behind the residual shrinks it",
                    basis="replay",
                    rows=Rows(scope=None if facts.get("scope") is None else str(facts["scope"])),
                    fix=next(replay.fix for replay in held if replay.fix.new == new),
                    was=number(facts, "output_rms"),
                )
            )
        return predictions

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the three apart."""
        return (
            "the RMS of f(x), of the residual and of their sum, and the cosine of the two: near -1 they cancel",
            "the RMS before and behind the projection, and its largest singular value",
        )


EXPERIMENT = ResidualCollapse()
