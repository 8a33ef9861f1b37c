"""What would another temperature have done to a distillation loss, and to its gradient?

Facts: `temperature`, `kd_loss` (as logged), `scaled` (False: neither the loss nor what is logged carries T^2),
`vocab`, `total_loss`, `kd_weight_low`, `kd_weight_high`, `sides` that are softened (both or student; None: either).

How the two follow T rests on the logits, which no log shows. Each family of logits is therefore judged for
itself: its free scale is solved so that the loss is the one logged, then T alone is turned.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.distillation import LEAST, BatchMean, Distillation, StudentAlone, TokenMean
from postmortem.replay.mechanisms.logits import FAMILIES
from postmortem.replay.protocol import Prediction, Prior, Rows
from postmortem.replay.values import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Fix, Replay

#: "By T^2" holds within this of (new/old)^2. One power of T differs by more for new/old below 0.9.
TOLERANCE: Final = 0.10
#: A loss is 0 below this part of the logged one.
ZERO: Final = 1e-3


def _falls_by_square(quantity: str) -> Callable[[Observed, Observed, Mapping[str, Fact], Fix], Tensor]:
    def holds(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
        said = (after["temperature"] / before["temperature"]) ** 2
        return (after[quantity] / before[quantity] / said - 1).abs() <= TOLERANCE

    return holds


class KdTemperature(Experiment):
    """Does the loss follow T^2, and does the gradient?"""

    name = "kd-temperature"
    question = "What would another distillation temperature have done to the loss and to its gradient?"
    cannot_show = (
        "What training makes of it: the logits are those of the logged moment, T alone is turned. Nor the "
        "gradient by the weights, into which the student's Jacobian enters, nor the other loss terms."
    )
    priors = (
        Prior(
            name="vocabulary",
            text="8,192 (56), 16,384 (26) and 49,152 (12 scenarios) where the log gives none, 8,192 (80) for "
            "the student alone; a known one is replayed (80) at 32,768 tokens at most",
            because="tokenizers in use; near log-uniform, thinned where the pairs are large",
        ),
        Prior(
            name="logit shape",
            text="; ".join(family.name for family in FAMILIES),
            because="the law of T differs between them, and no log shows the logits",
        ),
        Prior(
            name="agreement",
            text="wide families: correlation 0 to 0.9, student 0.5 to 2 times as wide as the teacher; "
            "flat student: 0 to 0.1 times; agreement on the top token: 0.05 to 0.35 times",
            because="from an untrained student to one that has followed its teacher for long",
        ),
        Prior(
            name="logit scale",
            text="solved so that the loss is the logged one; 0.001 to 32 times T searched",
            because="from logits that are all but equal to a softmax that is all but one-hot",
        ),
        Prior(
            name="reduction",
            text="mean over tokens, or sum over a sequence of 64 to 1,024 positions (batchmean)",
            because="both are in use, and the divergence of one pair differs by that factor",
        ),
        Prior(
            name="sides",
            text="both softened, or the student alone (mean over tokens), where the log does not say",
            because="a temperature that one side lacks is a common slip, and the loss still falls in training",
        ),
    )
    claims = (
        Claim(
            id="kd-by-t2",
            text=f"KD falls by T^2: to (new/old)^2 of its value, within {TOLERANCE:.0%}",
            knobs=frozenset({"temperature"}),
            quantity="kd_loss",
            label="KD loss",
            holds=_falls_by_square("kd_loss"),
        ),
        Claim(
            id="gradient-by-t2",
            text=f"the gradient falls by T^2: to (new/old)^2 of its norm, within {TOLERANCE:.0%}",
            knobs=frozenset({"temperature"}),
            quantity="gradient_norm",
            label="gradient norm by a token's logits",
            holds=_falls_by_square("gradient_norm"),
        ),
        Claim(
            id="zero-at-equal",
            text="KD is 0 for a student that equals its teacher",
            knobs=frozenset({"sides"}),
            quantity="floor",
            label="KD at equal logits",
            holds=lambda before, after, _facts, _fix: after["floor"] <= ZERO * before["kd_loss"],
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Distillation]:
        """Every family under both reductions, and with the student alone softened, as far as the log does not say."""
        kinds = (TokenMean, BatchMean, StudentAlone)
        named = [kind for kind in kinds if kind.both == (facts.get("sides") == "both")]
        return [kind(family) for kind in (named if facts.get("sides") else kinds) for family in FAMILIES]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """KD at each new temperature over all families, and the total where KD's weight is known."""
        if number(facts, "kd_loss", least=LEAST) is None:
            return ()
        shown = [r for r in replays if r.claim == self.claims[0].text and r.effect is not None]
        predictions = []
        for fix, group in itertools.groupby(sorted(shown, key=lambda r: str(r.fix.new)), key=lambda r: r.fix):
            effects = [replay.effect for replay in group if replay.effect is not None]
            low, high = min(effect.low for effect in effects), max(effect.high for effect in effects)
            predictions.append(_prediction("kd_loss", fix, low, high, was=number(facts, "kd_loss")))
            predictions += _total(facts, fix, low, high)
        return predictions

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the families, and with them the law of T, apart."""
        return (
            "the raw KL before the factor T^2, and how it is reduced: over tokens, or summed over a sequence",
            "the entropy of teacher and student at T, in nats, beside ln V: flat, confident or wide",
            "KD of the teacher's logits against themselves: above 0, one side alone is softened",
            "top-1 agreement of student and teacher, and the vocabulary size",
            "how many teacher logits are finite: a teacher cut to its top k cannot be met below ln(V / k)",
            "KD and its gradient norm at both temperatures on one batch and the same weights: settles it",
        )


def _prediction(metric: str, fix: Fix, low: float, high: float, *more: str, was: float | None) -> Prediction:
    new = fix.new
    return Prediction(
        id=f"kd-temperature/{metric}@T={new:g}" if isinstance(new, float) else f"kd-temperature/{metric}@T={new}",
        metric=metric,
        where="first value",
        low=low,
        high=high,
        assumptions=[
            "same weights and data as where the old value was logged",
            "logits of one of the replayed families, T alone changed",
            *more,
        ],
        statement=f"At T = {new}, {metric} starts between {low:,.4g} and {high:,.4g}",
        basis="replay",
        rows=Rows(must="first"),
        fix=fix,
        was=was,
    )


def _total(facts: Mapping[str, Fact], fix: Fix, low: float, high: float) -> list[Prediction]:
    """The total loss, with KD's share of it moved: total + weight * (new KD - old KD)."""
    total, old = number(facts, "total_loss"), number(facts, "kd_loss", least=LEAST)
    weights = [number(facts, "kd_weight_low"), number(facts, "kd_weight_high")]
    if total is None or old is None:
        return []
    ends = [total + w * (kd - old) for w in weights if w is not None for kd in (low, high)]
    if len(ends) < 4:  # noqa: PLR2004 - two ends of two intervals
        return []
    weight = f"KD enters the total with a weight of {weights[0]:.3g} to {weights[1]:.3g}"
    return [_prediction("loss", fix, min(ends), max(ends), weight, "the other terms are unchanged", was=total)]


EXPERIMENT = KdTemperature()
