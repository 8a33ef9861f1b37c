"""Why a CTC loss is infinite: no alignment, an alignment of probability 0, or logits that are not finite."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import torch
from torch.nn import functional

from postmortem.replay.mechanism import Ceiling, Mechanism
from postmortem.replay.reference.ctc_loss import frames_needed
from postmortem.replay.reference.ctc_network import BLANK
from postmortem.replay.values import amount, dtype_named, dtype_of, number, switched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from postmortem.replay.mechanism import Observed
    from postmortem.replay.protocol import Fact, Lab, Value
    from postmortem.replay.stream import Stream

#: A batch of a scenario; the loss of one sequence does not depend on the others.
SEQUENCES: Final = 2
SYMBOLS: Final = 8
FEWEST: Final = 5
LABELS: Final = 8
FACTORS: Final = (1, 8)
#: Frames of a sequence before they are thinned out: enough for its labels with repeats at the largest factor.
RAW: Final = 2 * LABELS * FACTORS[1]
#: By how much a symbol falls behind the largest, in nats, where its probability is to be 0 in half precision.
BEHIND: Final = (18.0, 200.0)


@dataclass(frozen=True, slots=True)
class Speech:
    """n batches of sequences, of which the first is the one whose loss is not finite."""

    logits: Tensor  # (n, SEQUENCES, RAW, SYMBOLS)
    raw: Tensor  # (n, SEQUENCES) frames before they are thinned out
    labels: Tensor  # (n, SEQUENCES, LABELS)
    lengths: Tensor  # (n, SEQUENCES)
    factor: Tensor  # (n, 1) of the thinning
    dtype: torch.dtype  # of a softmax that is written out
    stable: bool  # whether it is not: a log_softmax in float32


class Alignment(Mechanism[Speech]):
    """torch's own CTC loss over batches of which one sequence is broken."""

    dtype = "float32"

    @abstractmethod
    def broken(self, speech: Speech, facts: Mapping[str, Fact], stream: Stream) -> Speech:
        """`speech`, in which every target fits, with its first sequences broken."""

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Speech:
        """Batches in which every target fits, before they are broken."""
        n, device = lab.draws, stream.device
        shape = (n, SEQUENCES)
        factor = number(facts, "downsampling", least=1)
        labels = stream.integers(BLANK + 1, SYMBOLS, (*shape, LABELS))
        lengths = stream.integers(FEWEST, LABELS + 1, shape)
        known = None if factor is None else min(factor, float(FACTORS[1]))
        ends: tuple[float, float] = (FACTORS[0], FACTORS[1] + 0.99) if known is None else (known, known)
        speech = Speech(
            logits=2 * stream.normal((*shape, RAW, SYMBOLS)),
            raw=torch.full(shape, RAW, device=device),
            labels=labels,
            lengths=lengths,
            factor=stream.between(*ends, (n, 1)).long().clamp(min=1),
            dtype=dtype_of(facts) or torch.float16,
            stable=True,
        )
        return self.broken(speech, facts, stream)

    def observe(self, scenario: Speech, knobs: Mapping[str, Value]) -> Observed:
        """The loss of the broken sequence; whether loss and gradient are finite, and whether it is learned from."""
        factor = scenario.factor
        if "downsampling" in knobs:
            factor = torch.full_like(factor, _whole("downsampling", knobs["downsampling"]))
        stable = switched("log_softmax", knobs["log_softmax"]) if "log_softmax" in knobs else scenario.stable
        zero = "zero_infinity" in knobs and switched("zero_infinity", knobs["zero_infinity"])
        dtype = dtype_named(knobs["dtype"]) if "dtype" in knobs else scenario.dtype
        # every so many frames one is kept: a stride
        frames = (scenario.raw + factor - 1).div(factor, rounding_mode="floor")
        longest = int(frames.max())
        index = (torch.arange(longest, device=factor.device) * factor).clamp(max=RAW - 1)
        with torch.enable_grad():
            leaf = scenario.logits.detach().requires_grad_()
            logits = leaf.gather(2, index.reshape(-1, 1, longest, 1).expand(-1, SEQUENCES, -1, SYMBOLS))
            logs = logits.log_softmax(-1) if stable else logits.to(dtype).softmax(-1).log().float()
            losses = functional.ctc_loss(
                logs.flatten(0, 1).transpose(0, 1),
                scenario.labels.flatten(0, 1),
                frames.flatten(),
                scenario.lengths.flatten(),
                blank=BLANK,
                reduction="none",
                zero_infinity=zero,
            ).reshape(frames.shape)
            (gradient,) = torch.autograd.grad(losses.sum(), leaf)
        finite = gradient.isfinite().flatten(1).all(1)
        first = gradient[:, 0].flatten(1)
        return {
            "loss": losses[:, 0].double().detach(),
            "finite": losses.isfinite().all(1).double(),
            "gradient": finite.double(),
            "learned": (first.isfinite().all(1) & (first.abs().sum(1) > 0)).double(),
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """Where the loss of the broken sequence is inf, or nan, as the log has it."""
        loss = observed["loss"]
        return {"inf": loss.isinf(), "nan": loss.isnan()}.get(str(facts.get("kind")), ~loss.isfinite())


class TooShort(Alignment):
    """A target that does not fit into its input."""

    name = "no_alignment"
    title = "a target that does not fit into its input"

    def broken(self, speech: Speech, facts: Mapping[str, Fact], stream: Stream) -> Speech:
        """Fewer frames than the target needs, by as much as the log shows where it shows it."""
        needed = frames_needed(speech.labels[:, 0], speech.lengths[:, 0])
        frames, target = number(facts, "input_length", least=1), number(facts, "target_length", least=1)
        share = stream.uniform(tuple(needed.shape))
        if frames and target:
            share = torch.full_like(share, min(frames / (target + (number(facts, "repeats") or 0.0)), 1.0))
        # at least one frame, and one less than needed at most
        left = (share * needed).long().clamp(min=1).minimum(needed - 1)
        raw = torch.cat([(left * speech.factor.squeeze(1)).unsqueeze(1), speech.raw[:, 1:]], 1)
        return replace(speech, raw=raw)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """The frames that a target needs at most, where the log shows as many; and that nan is not inf."""
        return _fits(facts)

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """As for all; nowhere, where the target fits by the numbers of the log."""
        shown = super().reproduces(observed, facts)
        return torch.zeros_like(shown) if _fits(facts) else shown


class ImpossibleLabel(Alignment):
    """A label whose probability is exactly 0 in every frame."""

    name = "impossible_label"
    title = "a label of probability 0"

    def __init__(self, family: Literal["masked logit", "softmax in half precision"]) -> None:
        self.family = family

    def broken(self, speech: Speech, facts: Mapping[str, Fact], stream: Stream) -> Speech:  # noqa: ARG002
        """A logit of -inf, or one so far behind that its softmax is rounded to 0."""
        label = speech.labels[:, 0, :1].reshape(-1, 1, 1).expand(-1, RAW, 1)
        logits = speech.logits.clone()
        masked = self.family == "masked logit"
        behind = stream.between(*BEHIND, (len(logits), 1, 1))
        largest = logits[:, 0].amax(-1, keepdim=True)
        silent = torch.full_like(largest, -math.inf) if masked else largest - behind
        logits[:, 0] = logits[:, 0].scatter(-1, label, silent)
        return replace(speech, logits=logits, stable=masked)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """That inf is not nan, and that without a path there is nothing that a probability enters."""
        if facts.get("kind") != "nan":
            return _lacks(facts)
        return Ceiling(math.inf, "without a label the loss is -log 0 = inf, never nan")

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:
        """As for all; nowhere, where the target does not fit by the numbers of the log."""
        shown = super().reproduces(observed, facts)
        return torch.zeros_like(shown) if _lacks(facts) else shown


class BrokenLogit(Alignment):
    """A logit that was inf or nan before."""

    name = "nonfinite_logit"
    title = "a logit that is not finite"

    def __init__(self, value: float) -> None:
        self.value = value
        self.family = "nan" if math.isnan(value) else "inf"

    def broken(self, speech: Speech, facts: Mapping[str, Fact], stream: Stream) -> Speech:  # noqa: ARG002
        """One symbol of one frame, which no thinning leaves out."""
        logits = speech.logits.clone()
        place = stream.integers(0, SYMBOLS, (len(logits), 1))
        logits[:, 0, 0] = logits[:, 0, 0].scatter(-1, place, self.value)
        return replace(speech, logits=logits)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a law, no search
        """That nan is not inf."""
        if facts.get("kind") != "inf":
            return None
        return Ceiling(math.nan, "its log_softmax is nan, and so is the loss, never inf")


def _fits(facts: Mapping[str, Fact]) -> Ceiling | None:
    if facts.get("kind") == "nan":
        return Ceiling(math.inf, "without an alignment the loss is inf, never nan")
    frames, target = number(facts, "input_length", least=1), number(facts, "target_length", least=1)
    repeats = number(facts, "repeats")
    if frames is None or target is None:
        return None
    most = target + (target - 1 if repeats is None else repeats)
    if frames < most:
        return None
    return Ceiling(most, f"{target:,.0f} labels need {most:,.0f} frames at most, and there are {frames:,.0f}")


def _lacks(facts: Mapping[str, Fact]) -> Ceiling | None:
    """The frames that a target needs at least, where the log shows fewer."""
    frames, target = number(facts, "input_length", least=1), number(facts, "target_length", least=1)
    if frames is None or target is None:
        return None
    least = target + (number(facts, "repeats") or 0.0)
    if frames >= least:
        return None
    return Ceiling(
        least,
        f"{target:,.0f} labels need {least:,.0f} frames at least, and there are {frames:,.0f}: no path exists, "
        "whatever a label's probability",
    )


def _whole(knob: str, value: Value) -> int:
    """At least 1: every frame; at most the largest that is simulated."""
    return int(min(max(amount(knob, value), FACTORS[0]), FACTORS[1]))
