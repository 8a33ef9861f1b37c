"""Does labelling all tokens, where a masked language model labels some, explain a larger gradient norm?

Facts: `label_share` of the run or test that is judged (None: 1), `masked_share` (None: 0.15), `norm_full` and
`norm_masked`, the gradient norms seen under either, `tokens` of a batch, `vocab`, `reduction`.

Both norms are taken by autograd on the same weights and the same batch of a small transformer, so that the
labels alone differ. How the per-token losses are reduced decides, and how far their gradients pull together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.encoders import WIDTH
from postmortem.replay.mechanisms.labelled_batches import (
    ALIKE,
    MET,
    MOST_SEQUENCES,
    MOST_VOCABULARY,
    ORDINARY,
    PADDED,
    POSITIONS,
    Labelled,
    Mean,
    PerSequence,
    Sum,
    norms_apart,
)
from postmortem.replay.protocol import Prediction, Prior
from postmortem.replay.values import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Fix, Replay

#: A norm has fallen when it is below this part of what it was: batches of one run differ by about as much.
LESS: Final = 0.9


def _falls(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["norm"] < LESS * before["norm"]


def _falls_as_seen(before: Observed, after: Observed, facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    seen = norms_apart(facts)
    fall = before["norm"] / after["norm"]
    return fall > 1 / LESS if seen is None else (fall / seen - 1).abs() <= MET


class MlmLabels(Experiment):
    """Is it the labels, or the reduction?"""

    name = "mlm-labels"
    question = "Does labelling fewer tokens lower the gradient norm, and by as much as was seen?"
    cannot_show = (
        "A model that has trained on masked tokens for long: there the masked loss is near its minimum and the "
        "full one is not, so that the full gradient may be the larger one under any reduction. Nor gradients in "
        "low precision, dropout, or spans of masked tokens."
    )
    priors = (
        Prior(
            name="model",
            text=f"one attention layer and one MLP, width {WIDTH}, untrained, output scale 0.003 to 0.5",
            because="the ratio of two norms on the same weights does not rest on the size of the model",
        ),
        Prior(
            name="batch",
            text=f"{POSITIONS * MOST_SEQUENCES} tokens of {MOST_VOCABULARY} (fewer where the log says so), Zipf "
            "exponent 0 to 2",
            because="the number of tokens enters by how far their gradients pull together alone, which is drawn: "
            "from batches of all tokens to batches of nearly one",
        ),
        Prior(
            name="masking",
            text="80 % a mask token, 10 % another token, 10 % kept",
            because="BERT's, and that of most who followed",
        ),
        Prior(
            name="padding",
            text="0 to 80 % of the positions, where labels cover it",
            because="labels = input_ids.clone() labels padding as well",
        ),
    )
    claims = (
        Claim(
            id="falls-as-seen",
            text=f"the gradient falls by as much as seen, within {MET:.0%}",
            knobs=frozenset({"label_share", "reduction"}),
            quantity="norm",
            label="gradient norm",
            holds=_falls_as_seen,
        ),
        Claim(
            id="falls",
            text=f"the gradient norm falls by more than {1 - LESS:.0%}",
            knobs=frozenset({"label_share", "reduction"}),
            quantity="norm",
            label="gradient norm",
            holds=_falls,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Labelled]:
        """Every kind of batch under every reduction, or under that which the log names."""
        kinds = (Mean, Sum, PerSequence)
        named = [kind for kind in kinds if kind.reduction == facts.get("reduction")]
        return [kind(family) for kind in named or kinds for family in (ORDINARY, ALIKE, PADDED)]

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """The norm under a mean, where a sum is to be replaced by it: a sum is N times the mean of N."""
        norm, tokens = number(facts, "norm_full"), number(facts, "tokens")
        turned = any(r.fix.knob == "reduction" and r.fix.new == "mean" and r.mechanism == "sum" for r in replays)
        if norm is None or not tokens or not turned:
            return ()
        value = norm / tokens
        return (
            Prediction(
                id="mlm-labels/grad_norm@reduction=mean",
                metric="grad_norm",
                where="the same batch, all tokens labelled",
                low=value * (1 - MET),
                high=value * (1 + MET),
                assumptions=["the loss is a sum now", f"it runs over {tokens:,.0f} labelled tokens"],
                statement=f"Under a mean the gradient norm of that batch is {value:,.3g}",
                basis="law",
                fix=next(r.fix for r in replays if r.fix.knob == "reduction" and r.fix.new == "mean"),
                was=norm,
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """What tells the reductions apart."""
        return (
            "the reduction of the loss (mean, sum, or per sequence), as the code calls it",
            "the number of labelled tokens beside each gradient norm, and how many of them are padding",
            "the gradient norm at both label shares on one batch and the same weights",
            "the loss at both label shares: a mean stays near ln V on an untrained model, a sum grows by the tokens",
        )


EXPERIMENT = MlmLabels()
