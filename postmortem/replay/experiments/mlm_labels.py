"""Does labelling all tokens, where a masked language model labels some, explain a larger gradient norm?

Facts: `label_share` of the run or test that is judged (None: 1), `masked_share` (None: 0.15), `norm_full` and
`norm_masked`, the gradient norms seen under either, `tokens` of a batch, `vocab`, `reduction`.

Both norms are taken by autograd on the same weights and the same batch of a small transformer, so that the
labels alone differ. How the per-token losses are reduced decides, and how far their gradients pull together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast, get_args

import torch
from torch import Tensor

from postmortem.errors import PostmortemError
from postmortem.replay.experiment import Ceiling, Claim, Experiment, Mechanism, Observed
from postmortem.replay.mechanisms.encoders import WIDTH, encode, weights, zipf_tokens
from postmortem.replay.protocol import Prediction, Prior
from postmortem.replay.reference.masked_lm import IGNORED, Reduction, masked_lm_loss
from postmortem.replay.values import amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Fix, Lab, Replay, Value
    from postmortem.replay.stream import Stream

#: The batch of a scenario: small enough that a thousand of them are one tensor.
POSITIONS: Final = 16
MOST_SEQUENCES: Final = 8
MOST_VOCABULARY: Final = 32
#: Share of tokens that BERT masks (Devlin et al., 2019, section 3.1), where the log does not tell.
USUAL_SHARE: Final = 0.15
#: Of the masked tokens: the share that a mask token replaces, and the share that another token does (same).
AS_MASK: Final = 0.8
AS_OTHER: Final = 0.1
#: A ratio of norms is shown when it is this close: two printed digits, and the spread from batch to batch.
MET: Final = 0.10
#: A norm has fallen when it is below this part of what it was: batches of one run differ by about as much.
LESS: Final = 0.9

#: What the labels cover.
ORDINARY: Final = "ordinary batch"
ALIKE: Final = "all tokens alike"
PADDED: Final = "padding labelled too"


@dataclass(frozen=True, slots=True)
class Batch:
    """S models and a batch of each: parameters (S, ...), token tensors (S, sequences, positions)."""

    parameters: tuple[Tensor, ...]
    inputs: Tensor
    targets: Tensor
    rank: Tensor  # a position is labelled when its rank is below the share; padding has rank 1
    label_share: float
    masked_share: float


class _Labelled(Mechanism[Batch]):
    """The gradient norm of a masked-LM loss by its labels, under one reduction."""

    reduction: ClassVar[Reduction]

    def __init__(self, family: str) -> None:
        self.family = family

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Batch:
        """Models from near-silent to loud, batches from uniform to nearly one token, masked as BERT's are."""
        shape, vocabulary = _size(facts, lab.draws)
        masked_share = _logged_share(facts, "masked_share", USUAL_SHARE)

        exponent = 2 * stream.uniform((shape[0], 1)) ** 2
        targets = zipf_tokens(vocabulary, exponent, stream.uniform(shape))
        padding = self._padding(stream.uniform((shape[0], 1, 1)), shape)
        targets = self._alike(targets).masked_fill(padding, vocabulary)
        lots = stream.uniform(shape).masked_fill(padding, 2.0).flatten(1)
        rank = lots.argsort(-1).argsort(-1) / (~padding).flatten(1).sum(-1, keepdim=True)
        rank = rank.clamp(max=1.0).reshape(shape)
        kind, other = (
            stream.uniform(shape),
            zipf_tokens(vocabulary, torch.zeros_like(exponent), stream.uniform(shape)),
        )
        corrupted = torch.where(kind < AS_MASK, vocabulary + 1, torch.where(kind < AS_MASK + AS_OTHER, other, targets))
        return Batch(
            parameters=weights(vocabulary + 2, shape[0], stream),
            inputs=torch.where(rank < masked_share, corrupted, targets),
            targets=targets,
            rank=rank,
            label_share=_logged_share(facts, "label_share", 1.0),
            masked_share=masked_share,
        )

    def observe(self, scenario: Batch, knobs: Mapping[str, Value]) -> Observed:
        """The gradient norm as labelled, and how often that with the masked labels the full one is."""
        reduction = _reduction(knobs.get("reduction"), self.reduction)
        share = _share(knobs.get("label_share"), scenario.label_share)
        norm, full, masked = _gradient_norms(scenario, reduction, (share, 1.0, scenario.masked_share))
        return {"norm": norm, "ratio": full / masked}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where full over masked norm is the ratio seen; everywhere, where none was."""
        seen = _seen(facts)
        if seen is None:
            return observed["ratio"].isfinite()
        return (observed["ratio"] / seen - 1).abs() <= MET

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """The range of ratios that the search found, where the one seen lies outside it."""
        seen = _seen(facts)
        if seen is None:
            return None
        ratio = self.observe(self.drawn(facts, lab), {})["ratio"]
        low, high = (float(end) for end in ratio[ratio.isfinite()].aminmax())
        if low * (1 - MET) <= seen <= high * (1 + MET):
            return None
        return Ceiling(
            value=high if seen > high else low,
            because=f"the norm with all labels is {low:.2f} to {high:.2f} times that with the masked "
            f"ones, never {seen:.3g} times, from batches of all tokens to batches of nearly one",
        )

    def _alike(self, targets: Tensor) -> Tensor:
        return targets[:, :1, :1].expand_as(targets) if self.family == ALIKE else targets

    def _padding(self, lot: Tensor, shape: tuple[int, int, int]) -> Tensor:
        # At least one real token is left in each sequence.
        real = 1 + (shape[2] - 1) * (0.8 * lot) if self.family == PADDED else torch.full_like(lot, shape[2])
        return (torch.arange(shape[2], device=lot.device) >= real).expand(shape)


class Mean(_Labelled):
    """The mean over the labelled tokens: torch's default."""

    name = "mean"
    title = "mean over the labelled tokens"
    reduction = "mean"


class Sum(_Labelled):
    """The sum over the labelled tokens."""

    name = "sum"
    title = "sum over the labelled tokens"
    reduction = "sum"


class PerSequence(_Labelled):
    """The mean within a sequence, then over the sequences."""

    name = "per_sequence"
    title = "mean per sequence, then over sequences"
    reduction = "per_sequence"


def _falls(before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["norm"] < LESS * before["norm"]


def _falls_as_seen(before: Observed, after: Observed, facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    seen = _seen(facts)
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

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[_Labelled]:
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


def _gradient_norms(batch: Batch, reduction: Reduction, shares: Sequence[float]) -> list[Tensor]:
    """The norm (S,) of the gradient by all parameters, under each label share. Each model has its own batch."""
    with torch.enable_grad():
        leaves = [parameter.detach().requires_grad_() for parameter in batch.parameters]
        logits = encode(leaves, batch.inputs)
        norms = {}
        for share in dict.fromkeys(shares):
            labels = batch.targets.where((batch.rank < share) | (share >= 1), IGNORED)
            loss = masked_lm_loss(logits, labels, reduction).sum()
            gradients = torch.autograd.grad(loss, leaves, retain_graph=True)
            squares = [gradient.double().flatten(1).square().sum(-1) for gradient in gradients]
            norms[share] = torch.stack(squares).sum(0).sqrt()
    return [norms[share] for share in shares]


def _size(facts: Mapping[str, Fact], draws: int) -> tuple[tuple[int, int, int], int]:
    tokens, vocabulary = number(facts, "tokens", least=1), number(facts, "vocab", least=2)
    sequences = MOST_SEQUENCES if tokens is None else min(max(1, int(tokens) // POSITIONS), MOST_SEQUENCES)
    words = MOST_VOCABULARY if vocabulary is None else min(int(vocabulary), MOST_VOCABULARY)
    return (draws, sequences, POSITIONS), words


def _seen(facts: Mapping[str, Fact]) -> float | None:
    """Gradient norm with all tokens labelled over that with the masked ones, as logged."""
    full, masked = number(facts, "norm_full"), number(facts, "norm_masked")
    return full / masked if full and masked else None


def _logged_share(facts: Mapping[str, Fact], key: str, default: float) -> float:
    """What the log says it is, where that is a share."""
    share = number(facts, key)
    return share if share is not None and 0 < share <= 1 else default


def _share(value: Value, default: float) -> float:
    if value is None:
        return default
    share = amount("label_share", value)
    if not 0 < share <= 1:
        raise PostmortemError(f"label_share takes a share, above 0 and at most 1, not {value!r}")
    return share


def _reduction(value: Value, default: Reduction) -> Reduction:
    if value is None:
        return default
    for reduction in get_args(Reduction):
        if value == reduction:
            return cast("Reduction", reduction)
    raise PostmortemError(f"reduction takes one of {', '.join(get_args(Reduction))}, not {value!r}")


EXPERIMENT = MlmLabels()
