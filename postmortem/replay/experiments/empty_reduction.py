"""Was the loss a mean over no target, and what keeps it, and the gradient behind it, finite?

Facts: `metric`, the loss or the gradient norm that was not finite; `kind`, nan or inf; `finite_after`, how many finite
values follow; `targets` in that batch, where the log counts them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.reductions import GUARDED, LOGITS, BadLogit, EmptyBatch, EmptySequence, MeanLoss
from postmortem.replay.protocol import Beside, Prediction, Prior, Rows
from postmortem.replay.values import FLOAT32_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Replay

_KNOBS: Final = frozenset({"min_targets", "ignore_empty", "nan_to_num"})


class EmptyReduction(Experiment):
    """0 / 0, of a batch or of a sequence, or a logit that was bad already?"""

    name = "empty-reduction"
    question = "Is the value that is not finite a mean over no target, and which guard keeps loss and gradient finite?"
    cannot_show = (
        "Whether that batch had no target: the log has to count them. Nor how many batches of the data have none, nor "
        "what a batch that is left out costs, nor a divisor that is no count, such as a sum of weights near 0."
    )
    priors = (
        Prior(
            name="targets",
            text="10 to 90 % of the tokens, and at least one a sequence, apart from what is spoilt",
            because="from masked-LM labels to a padded causal batch",
        ),
        Prior(
            name="logits",
            text=f"normal, of size {LOGITS[0]:g} to {LOGITS[1]:g}, log-uniform",
            because="from an untrained to a confident model: finite cross-entropies all",
        ),
        Prior(
            name="mask",
            text="tokens selected by it, as torch's losses do, or multiplied by it, as many hand-written ones do",
            because="the gradient over nothing is 0 in the one and nan in the other",
        ),
        Prior(
            name="guard",
            text=f"a gradient that is not finite makes no update in {GUARDED:.0%} of the scenarios",
            because="a loss scaler leaves such a step out, plain float32 and bf16 do not",
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
            "usable",
            id="finite-gradient",
            text="the gradient of that batch is finite, so that no weight is lost",
            knobs=_KNOBS,
            label="finite gradient (1 yes, 0 no)",
            keeps=True,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[MeanLoss]:
        """Both kinds of emptiness under both kinds of mask, and the bad logits that show what the log does."""
        bad = (-math.inf,) if facts.get("kind") == "inf" else (math.nan, math.inf)
        return (
            EmptyBatch("selected"),
            EmptyBatch("multiplied"),
            EmptySequence("selected"),
            EmptySequence("multiplied"),
            *(BadLogit(value) for value in bad),
        )

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """What the guard stands on, and what it gives."""
        left = {replay.mechanism for replay in replays if replay.verdict != "not_reproduced"}
        if not left & {EmptyBatch.name, EmptySequence.name}:
            return ()
        metric = str(facts.get("metric") or "loss")
        return (
            Prediction(
                id=f"{self.name}/targets",
                metric="targets",
                where=f"the least of the batch and its sequences, where {metric} is not finite",
                low=0.0,
                high=0.0,
                assumptions=["what is not finite is a mean over no target", "the logits of that batch are finite"],
                statement=f"The batch in which {metric} is not finite has no target, or a sequence of it has none",
                basis="law",
                rows=Rows(must="any", beside=Beside(metric=metric)),
            ),
            Prediction(
                id=f"{self.name}/finite",
                metric=metric,
                where="every batch",
                low=-FLOAT32_MAX,
                high=FLOAT32_MAX,
                assumptions=["the divisor is at least 1", "the logits are finite"],
                statement=f"With a divisor of at least 1, {metric} is finite in every batch",
                basis="law",
                rows=Rows(),
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """The count first: it tells emptiness from bad logits."""
        metric = facts.get("metric") or "the loss"
        return (
            f"the number of targets in the batch in which {metric} is not finite, and in each of its sequences",
            "min, max and isfinite of the logits of that batch, before the loss",
            "isfinite of the gradient of that batch, and whether its update was made",
        )


EXPERIMENT = EmptyReduction()
