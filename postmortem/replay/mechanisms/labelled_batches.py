"""A batch of a masked language model under more labels or fewer, and its gradient norm under each reduction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast, get_args

import torch
from torch import Tensor

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism, Observed
from postmortem.replay.mechanisms.encoders import encode, weights, zipf_tokens
from postmortem.replay.reference.masked_lm import IGNORED, Reduction, masked_lm_loss
from postmortem.replay.values import amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Lab, Value
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


class Labelled(Mechanism[Batch]):
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
        seen = norms_apart(facts)
        if seen is None:
            return observed["ratio"].isfinite()
        return (observed["ratio"] / seen - 1).abs() <= MET

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """The range of ratios that the search found, where the one seen lies outside it."""
        seen = norms_apart(facts)
        if seen is None:
            return None
        ratio = self.observe(self.drawn(facts, lab), {})["ratio"]
        finite = ratio[ratio.isfinite()]
        if not len(finite):  # of a share that is next to nothing no batch has a masked token
            return None
        low, high = (float(end) for end in finite.aminmax())
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


class Mean(Labelled):
    """The mean over the labelled tokens: torch's default."""

    name = "mean"
    title = "mean over the labelled tokens"
    reduction = "mean"


class Sum(Labelled):
    """The sum over the labelled tokens."""

    name = "sum"
    title = "sum over the labelled tokens"
    reduction = "sum"


class PerSequence(Labelled):
    """The mean within a sequence, then over the sequences."""

    name = "per_sequence"
    title = "mean per sequence, then over sequences"
    reduction = "per_sequence"


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


def norms_apart(facts: Mapping[str, Fact]) -> float | None:
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
