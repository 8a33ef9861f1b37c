"""A CTC loss that is not finite: does its target not fit, and what do `zero_infinity` and fewer lost frames change?

Facts: `kind` (inf or nan), `input_length` (frames that reach the loss), `target_length`, `repeats` (adjacent equal
labels), `downsampling` (by what the frames were thinned out), `dtype` of a softmax that is written out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.alignments import (
    BEHIND,
    FACTORS,
    FEWEST,
    LABELS,
    SEQUENCES,
    SYMBOLS,
    Alignment,
    BrokenLogit,
    ImpossibleLabel,
    TooShort,
)
from postmortem.replay.protocol import Beside, Prediction, Prior, Rows
from postmortem.replay.values import FLOAT32_MAX, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Fix, Replay

_KNOBS = frozenset({"zero_infinity", "downsampling", "log_softmax", "dtype"})


class CtcInfeasible(Experiment):
    """No alignment, a label of probability 0, or logits that were bad already?"""

    name = "ctc-infeasible"
    question = "Is the CTC loss infinite because its target does not fit, and which fix lets that sequence be learned?"
    cannot_show = (
        "Which sequence of a batch it is, or why a logit was not finite. Nor whether a target that does not fit is a "
        "wrong transcript: then it should be left out, not fitted."
    )
    priors = (
        Prior(
            name="batch",
            text=f"{SEQUENCES} sequences of {FEWEST} to {LABELS} labels of {SYMBOLS - 1}, one of them broken",
            because="the loss of a sequence does not depend on the others, and what fits follows from ratios",
        ),
        Prior(
            name="frames",
            text="one to one less than the target needs, or the share of it that the log shows",
            because="no alignment exists from one missing frame on",
        ),
        Prior(
            name="thinning",
            text=f"every 1st to {FACTORS[1]}th frame, log-uniform, where the log gives no factor",
            because="convolutional front ends keep every 2nd, 4th or 8th",
        ),
        Prior(
            name="label of probability 0",
            text=f"a logit of -inf, or one {BEHIND[0]:g} to {BEHIND[1]:g} behind the largest in a softmax written out "
            "in fp16 or the dtype of the log",
            because="exp(-17.4) is 0 in fp16, exp(-104) in fp32",
        ),
    )
    claims = (
        Claim.that(
            "finite",
            id="finite-loss",
            text="the loss is finite",
            knobs=_KNOBS,
            label="finite loss (1 yes, 0 no)",
        ),
        Claim.that(
            "gradient",
            id="finite-gradient",
            text="the gradient is finite",
            knobs=_KNOBS,
            label="finite gradient (1 yes, 0 no)",
        ),
        Claim.that(
            "learned",
            id="learned",
            text="the sequence is learned from: its gradient is finite and not 0",
            knobs=_KNOBS,
            label="sequence with a gradient (1 yes, 0 no)",
        ),
    )

    def missing(self, facts: Mapping[str, Fact]) -> str:
        """A thinning that is simulated."""
        factor = number(facts, "downsampling")
        return (
            "" if factor is None or factor <= FACTORS[1] else f"a thinning by more than {FACTORS[1]} is not simulated"
        )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Alignment]:  # noqa: ARG002 - all compete
        """No alignment, one of probability 0, and logits that are not finite."""
        return (
            TooShort(),
            ImpossibleLabel("masked logit"),
            ImpossibleLabel("softmax in half precision"),
            BrokenLogit(math.inf),
            BrokenLogit(math.nan),
        )

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """What a target that does not fit must show, and that a confirmed fix leaves no loss infinite."""
        metric = str(facts.get("metric") or "loss")
        target = number(facts, "target_length", least=1)
        found = []
        if facts.get("kind") != "nan" and not any(r.mechanism == TooShort.name and r.share is None for r in replays):
            found.append(
                Prediction(
                    id=f"{self.name}/input_length",
                    metric="input_length",
                    where="the sequence whose loss is infinite",
                    low=1.0,
                    high=None if target is None else 2 * target - 2,
                    assumptions=["the target does not fit", "logits of that sequence are finite"],
                    statement="That sequence has fewer frames behind the thinning than labels and adjacent repeats",
                    basis="law",
                    rows=Rows(beside=Beside(metric=metric)),
                )
            )
        return (*found, *(self._finite(fix, metric) for fix in self._confirmed(replays)))

    def _confirmed(self, replays: Sequence[Replay]) -> list[Fix]:
        """The fixes under which the loss is finite, whatever made it infinite."""
        judged = [r for r in replays if r.claim == self.claims[0].text and r.verdict != "not_reproduced"]
        fixes = dict.fromkeys(r.fix for r in judged)
        return [fix for fix in fixes if all(r.verdict == "confirmed" for r in judged if r.fix == fix)]

    def _finite(self, fix: Fix, metric: str) -> Prediction:
        return Prediction(
            id=f"{self.name}/finite@{fix.knob}={fix.new}",
            metric=metric,
            where="every batch",
            low=-FLOAT32_MAX,
            high=FLOAT32_MAX,
            assumptions=["the logits are finite", "no later batch lacks more frames than this one"],
            statement=f"With {fix.knob} = {fix.new} {metric} is finite in every batch",
            basis="replay",
            rows=Rows(),
            fix=fix,
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells them apart."""
        return (
            "per sequence of that batch: frames behind the thinning, labels, adjacent repeats",
            "min and isfinite of the log-probabilities that reach the loss: -inf is a label that cannot be",
            "how many sequences zero_infinity drops in an epoch: they are not learned from",
        )


EXPERIMENT = CtcInfeasible()
