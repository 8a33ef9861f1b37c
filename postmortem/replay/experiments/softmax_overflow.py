"""Did large logits make the loss nan, or an empty batch, or logits that were not finite before?

Facts: `dtype` of the loss (None: fp16 and bf16), `logit`, the largest seen (None: 11 to 60,000), `temperature`
that the logits were divided by (None: 1 to 10), `metric`, the loss that was nan.

The loss is computed in the real dtype, without autocast: autocast would run cross-entropy in fp32.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanism import Ceiling, Mechanism, Observed
from postmortem.replay.protocol import Beside, Prediction, Prior, Rows
from postmortem.replay.reference.cross_entropy import handwritten_cross_entropy
from postmortem.replay.reference.masked_lm import IGNORED
from postmortem.replay.values import amount, dtype_named, dtype_of, number, switched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Fix, Lab, Replay, Value
    from postmortem.replay.stream import Stream

#: A batch of a scenario: overflow is a matter of single entries, so that a small one shows it.
TOKENS: Final = 32
VOCABULARY: Final = 32
#: From where exp overflows fp16 to just below fp16's own largest number.
LOGITS: Final = (11.0, 6e4)
#: What they were divided by.
TEMPERATURES: Final = (1.0, 10.0)
#: A logged logit or temperature below this is none.
LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Logits:
    """S batches: logits (S, tokens, vocabulary) after division by a temperature (S,), targets (S, tokens)."""

    values: Tensor
    targets: Tensor
    temperature: Tensor
    dtypes: tuple[torch.dtype, ...]  # of as many equal parts of the scenarios


class _Loss(Mechanism[Logits]):
    """The mean cross-entropy of a batch, in the dtype of its logits."""

    dtype = "float16, bfloat16"

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Logits:
        """Batches whose largest logit is the one seen, or any in LOGITS."""
        logit, temperature = number(facts, "logit", least=LEAST), number(facts, "temperature", least=LEAST)
        least, most = LOGITS if logit is None else (logit, logit)
        tempered = TEMPERATURES if temperature is None else (temperature, temperature)
        shape = 2 * stream.uniform((lab.draws, TOKENS, VOCABULARY)) - 1
        shape = shape / shape.abs().amax((1, 2), keepdim=True)
        return Logits(
            values=shape * stream.between(least, most, (lab.draws, 1, 1)),
            targets=stream.integers(0, VOCABULARY, (lab.draws, TOKENS)),
            temperature=stream.between(*tempered, (lab.draws,)),
            dtypes=_dtypes(facts),
        )

    def observe(self, scenario: Logits, knobs: Mapping[str, Value]) -> Observed:
        """The loss of each batch, and whether it is finite (1) or not (0)."""
        values = scenario.values
        if (temperature := knobs.get("temperature")) is not None:
            new = _positive("temperature", temperature)
            values = values * (scenario.temperature / new).reshape(-1, 1, 1)
        if (most := knobs.get("logit_clip")) is not None:
            values = values.clamp(-_positive("logit_clip", most), _positive("logit_clip", most))
        dtypes = (dtype_named(knobs["dtype"]),) if "dtype" in knobs else scenario.dtypes
        losses = [
            self.losses(part.to(dtype), targets).float()
            for dtype, part, targets in zip(
                dtypes,
                values.tensor_split(len(dtypes)),
                scenario.targets.tensor_split(len(dtypes)),
                strict=True,
            )
        ]
        count = (scenario.targets != IGNORED).sum(-1)
        # Summed in fp32, as torch does inside its own mean; 0 / 0 where there are no targets.
        loss = torch.cat(losses).sum(-1) / count
        if switched("ignore_empty", knobs.get("ignore_empty", "no")):
            loss = loss.where(count > 0, 0.0)
        return {"loss": loss.double(), "finite": loss.isfinite().double()}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:  # noqa: ARG002 - nan is nan
        """Where the loss is nan."""
        return observed["loss"].isnan()

    @abstractmethod
    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss (s, tokens) of each token from logits (s, tokens, vocabulary), 0 without a target."""


class _Library(_Loss):
    """torch's own cross-entropy, which subtracts the maximum."""

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """By `torch.nn.functional.cross_entropy`, in the dtype of the logits."""
        return functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=IGNORED
        ).reshape(targets.shape)


class StableCrossEntropy(_Library):
    """Large finite logits in torch's own loss."""

    name = "stable_cross_entropy"
    title = "large logits in torch's cross_entropy"

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """A search over all logits and dtypes, whatever the log says of them."""
        widest = self.drawn({**facts, "logit": None, "dtype": None}, lab)
        found = [self.observe(widest, {"dtype": name})["loss"] for name in ("fp16", "bf16", "fp32")]
        largest = number(facts, "logit", least=LEAST)
        if torch.cat(found).isnan().any() or (largest is not None and largest > LOGITS[1]):
            return None
        return Ceiling(
            value=0.0,
            because=f"it subtracts the maximum: no nan in {len(found)} x {lab.draws} batches with logits up to "
            f"{LOGITS[1]:,.0f} in fp16, bf16 and fp32 (inf at most, in fp16, from logits over 65,504 apart)",
        )


class HandwrittenSoftmax(_Loss):
    """exp of the logits as they are, divided by their sum."""

    name = "handwritten_softmax"
    title = "large logits in a softmax written out by hand"

    def losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """By the reference, in the dtype of the logits."""
        return handwritten_cross_entropy(logits, targets)

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:  # noqa: ARG002 - a bound
        """The logit from which exp overflows, where the largest seen lies below it."""
        bound = min(math.log(torch.finfo(dtype).max) for dtype in _dtypes(facts))
        logit = number(facts, "logit", least=LEAST)
        if logit is None or logit > bound:
            return None
        return Ceiling(value=bound, because=f"exp overflows above {bound:.2f} only, the largest is {logit:g}")


class EmptyTarget(_Library):
    """A mean over no target at all: 0 / 0."""

    name = "empty_target"
    title = "a batch without targets"

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Logits:
        """As elsewhere, with every target ignored."""
        usual = super().draw(facts, lab, stream)
        return Logits(usual.values, torch.full_like(usual.targets, IGNORED), usual.temperature, usual.dtypes)


class NonfiniteLogits(_Library):
    """One logit that was inf or nan before the loss was computed."""

    name = "nonfinite_logits"
    title = "a logit that is not finite"

    def __init__(self, value: float) -> None:
        self.value = value
        self.family = "nan" if math.isnan(value) else "inf"

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Logits:
        """As elsewhere, with one entry of each batch replaced."""
        usual = super().draw(facts, lab, stream)
        place = stream.integers(0, TOKENS * VOCABULARY, (lab.draws, 1))
        values = usual.values.flatten(1).scatter(1, place, self.value).reshape(usual.values.shape)
        return Logits(values, usual.targets, usual.temperature, usual.dtypes)


def _finite(_before: Observed, after: Observed, _facts: Mapping[str, Fact], _fix: Fix) -> Tensor:
    return after["finite"] > 0


class SoftmaxOverflow(Experiment):
    """Overflow, an empty batch, or logits that were bad already?"""

    name = "softmax-overflow"
    question = "Did large logits make the loss nan?"
    cannot_show = (
        "Why a logit was not finite, or whether another temperature, clipping or dtype upstream would have kept "
        "it finite: the logits are as they reach the loss. Nor a kernel other than torch's own."
    )
    priors = (
        Prior(
            name="logits",
            text=f"the largest {LOGITS[0]:g} to {LOGITS[1]:,.0f}, log-uniform, of either sign",
            because="from where exp overflows in fp16 to the largest that fp16 holds",
        ),
        Prior(name="dtype", text="fp16 and bf16, half each", because="the dtypes of mixed precision"),
        Prior(
            name="temperature",
            text=f"{TEMPERATURES[0]:g} to {TEMPERATURES[1]:g}, log-uniform, in the logits already",
            because="another temperature scales them by old/new",
        ),
    )
    claims = (
        Claim(
            id="finite",
            text="the loss is finite",
            knobs=frozenset({"temperature", "logit_clip", "dtype", "ignore_empty"}),
            quantity="finite",
            label="finite loss (1 yes, 0 no)",
            holds=_finite,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[_Loss]:  # noqa: ARG002 - all compete
        """Overflow in either softmax, no target, and a logit that was not finite."""
        return (
            StableCrossEntropy(),
            HandwrittenSoftmax(),
            EmptyTarget(),
            NonfiniteLogits(math.inf),
            NonfiniteLogits(math.nan),
        )

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:
        """What skipping empty batches stands on: that batch has no target."""
        if not any(replay.fix.knob == "ignore_empty" for replay in replays):
            return ()
        metric = facts.get("metric") or "the loss"
        return (
            Prediction(
                id="softmax-overflow/targets",
                metric="targets",
                where=f"the batch in which {metric} is nan",
                low=0.0,
                high=0.0,
                assumptions=["the nan is a mean over no target", "logits of that batch are finite"],
                statement=f"The batch in which {metric} is nan has no target",
                basis="law",
                rows=Rows(beside=Beside(metric=str(facts.get("metric") or "loss"))),
            ),
        )

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:
        """What tells an empty batch from bad logits."""
        metric = facts.get("metric") or "the loss"
        by_hand = any(r.mechanism == HandwrittenSoftmax.name and r.verdict != "not_reproduced" for r in replays)
        return (
            f"the number of targets in the batch in which {metric} is nan",
            "min, max and isfinite of the logits of that batch, before the loss",
            "the first tensor of that forward pass that is not finite",
            *(
                ("how the loss is computed: by the library's cross-entropy, or by exponentials of its own",)
                if by_hand
                else ()
            ),
        )


def _dtypes(facts: Mapping[str, Fact]) -> tuple[torch.dtype, ...]:
    known = dtype_of(facts)
    return (torch.float16, torch.bfloat16) if known is None else (known,)


def _positive(knob: str, value: Value) -> float:
    positive = amount(knob, value)
    if positive == 0:
        raise PostmortemError(f"{knob} takes a number above 0, not {value!r}")
    return positive


EXPERIMENT = SoftmaxOverflow()
