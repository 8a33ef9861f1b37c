"""Pairs of student and teacher logits that show a logged distillation loss: its reductions, and how it is solved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from torch import Tensor

from postmortem.errors import PostmortemError
from postmortem.replay.mechanism import Ceiling, Mechanism, Observed
from postmortem.replay.reference.kd_loss import kd_gradient, kd_loss
from postmortem.replay.stream import Stream
from postmortem.replay.values import amount, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.mechanisms.logits import Family
    from postmortem.replay.protocol import Fact, Lab, Value

#: Vocabulary sizes and scenarios of each, of USUAL_DRAWS: near log-uniform, and few enough that two cores solve a
#: family in a fraction of a second. One pair averages over its vocabulary already.
VOCABULARIES: Final = ((8192, 56), (16384, 26), (49152, 12))
#: A known vocabulary is replayed at this size at most, with these many scenarios: ln V, which is what enters,
#: is 1.5 larger at 150,000.
LARGEST_VOCABULARY: Final = 32768
KNOWN_COUNT: Final = 80
#: With more draws there are as many times more.
USUAL_DRAWS: Final = 1024
#: Elements of one tensor of a part. On a CPU what the intermediate results of a loss need then stays in the cache; a
#: GPU is busy with that many.
PART: Final = 160_000
PART_OF_GPU: Final = 1 << 25
#: Logit scale over temperature: from logits that are all but equal to a softmax that is all but one-hot.
SCALES: Final = torch.logspace(-3, 1.5, 7, dtype=torch.float64)
#: Bisections of a bracket of SCALES, before one chord: leaves far less than MET.
HALVINGS: Final = 6
#: A scenario shows the logged loss when it is this close: the log's own rounding is finer.
MET: Final = 0.01
#: A logged loss or temperature below this is none.
LEAST: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Pairs:
    """Student and teacher logits: per vocabulary size (n, V) each, and per scenario the rest, shape (N,)."""

    logits: tuple[tuple[Tensor, Tensor], ...]
    temperature: Tensor
    positions: Tensor
    target: Tensor  # the loss to be shown
    squared: bool


class Distillation(Mechanism[Pairs]):
    """T^2 * KL of one family of logits, scaled so that it shows the logged loss."""

    dtype = "float64"
    #: Token pairs that are summed into the loss, drawn log-uniformly from this range.
    summed: ClassVar[tuple[float, float]]
    #: Whether all these pairs can have settled on their tokens, with a divergence as small as that.
    settles: ClassVar[bool]
    #: Whether the teacher is softened as the student is, or stays at temperature 1.
    both: ClassVar[bool] = True
    #: Vocabulary sizes and scenarios of each, where the log gives none.
    vocabularies: ClassVar[tuple[tuple[int, int], ...]] = VOCABULARIES

    def __init__(self, family: Family) -> None:
        self.shapes = family
        self.family = family.name

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Pairs:
        """Pairs at the scale that shows the logged loss."""
        pairs = self._unscaled(facts, lab, stream)
        # drawn for all at once: into how many parts they are split hangs on the device
        odds = stream.uniform((len(SCALES) - 1, len(pairs.target))).to(pairs.target.dtype)
        lots = odds if self.shapes.settled and self.settles else torch.ones_like(odds)
        solved = [
            _solve(shapes, temperature, target / positions, lot, squared=pairs.squared, both=self.both)
            for shapes, lot, temperature, target, positions in zip(
                pairs.logits,
                torch.split(lots, _counts(pairs), dim=1),
                *_split(pairs),
                strict=True,
            )
        ]
        logits = tuple(
            (student * scale, teacher * scale) for (student, teacher), scale in zip(pairs.logits, solved, strict=True)
        )
        return Pairs(logits, pairs.temperature, pairs.positions, pairs.target, pairs.squared)

    def observe(self, scenario: Pairs, knobs: Mapping[str, Value]) -> Observed:
        """The loss as it is logged, the norm of its gradient by a pair's logits, and the loss if both were equal."""
        drawn, _, _ = _split(scenario)
        new = [
            torch.full_like(one, _temperature(knobs["temperature"])) if "temperature" in knobs else one for one in drawn
        ]
        both = _both(knobs["sides"]) if "sides" in knobs else self.both
        how: dict[str, Any] = {"squared": scenario.squared, "teacher_temperature": None if both else 1.0}
        with_new = list(zip(scenario.logits, new, strict=True))
        losses = [kd_loss(*pair, t, **how) for pair, t in with_new]
        norms = [kd_gradient(*pair, t, **how).norm(dim=-1) for pair, t in with_new]
        equal = [kd_loss(teacher, teacher, t, **how) for (_, teacher), t in with_new] if not both else None
        loss = torch.cat(losses) * scenario.positions
        return {
            "kd_loss": loss,
            "gradient_norm": torch.cat(norms),
            "floor": torch.zeros_like(loss) if equal is None else torch.cat(equal) * scenario.positions,
            "temperature": torch.cat(new),
            "target": scenario.target,
        }

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:  # noqa: ARG002 - in target
        """Where a scale was found at which the loss is the logged one."""
        return (observed["kd_loss"] / observed["target"] - 1).abs() <= MET

    def ceiling(self, facts: Mapping[str, Fact], lab: Lab) -> Ceiling | None:
        """The range of the loss over all scales, where the logged one lies outside it."""
        logged = number(facts, "kd_loss", least=LEAST)
        if logged is None:
            return None
        pairs = self._unscaled(facts, lab, Stream(lab.seed, lab.device))
        shown = [
            positions * _loss_at(shapes, temperature, scale, squared=pairs.squared, both=self.both)
            for shapes, temperature, _, positions in zip(pairs.logits, *_split(pairs), strict=True)
            for scale in SCALES.tolist()
        ]
        low, high = (float(bound) for bound in torch.cat(shown).aminmax())
        if low <= logged <= high:
            return None
        return Ceiling(
            value=high if logged > high else low,
            because=f"KD is {low:,.3g} to {high:,.3g} over all scales, never {logged:,.4g}",
        )

    def _unscaled(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> Pairs:
        known = number(facts, "vocab", least=2)
        size = None if known is None else min(int(known), LARGEST_VOCABULARY)
        sizes = self.vocabularies if size is None else ((size, KNOWN_COUNT),)
        counts = [max(min(wanted, lab.draws), wanted * lab.draws // USUAL_DRAWS) for _, wanted in sizes]
        blank = torch.ones(sum(counts), dtype=torch.float64, device=lab.device)
        temperature = _given_or(facts, "temperature", blank, stream, 1.5, 8.0)
        target = _given_or(facts, "kd_loss", blank, stream, 0.1, 100.0)
        positions = _log_uniform(blank, stream, *self.summed)
        squared = facts.get("scaled") is not False
        divergence = target / positions / (temperature**2 if squared else 1.0)
        most = PART if lab.device.startswith("cpu") else PART_OF_GPU
        logits = tuple(
            pair
            for part, (vocabulary, _) in zip(torch.split(divergence, counts), sizes, strict=True)
            for both in [self.shapes.draw(part, vocabulary, stream)]
            for pair in zip(*(torch.split(one, max(1, most // vocabulary)) for one in both), strict=True)
        )
        return Pairs(logits, temperature, positions, target, squared)


class TokenMean(Distillation):
    """The divergence averaged over tokens: what is logged is that of a typical pair."""

    name = "token_mean"
    title = "KL averaged over tokens"
    summed = (1.0, 1.0)
    settles = True


class BatchMean(Distillation):
    """`batchmean` of (batch, positions, vocabulary): summed over a sequence, so that a pair is close."""

    name = "batchmean"
    title = "KL summed over a sequence"
    summed = (64.0, 1024.0)
    settles = False


class StudentAlone(TokenMean):
    """Averaged over tokens, with the teacher left at temperature 1: equal logits are not equal distributions."""

    name = "student_alone"
    title = "the student alone softened"
    both = False
    # how KD follows T rests on the sides far more than on ln V
    vocabularies = ((8192, 80),)


def _solve(
    shapes: tuple[Tensor, Tensor],
    temperature: Tensor,
    target: Tensor,
    lot: Tensor,
    *,
    squared: bool,
    both: bool,
) -> Tensor:
    """Scales (n, 1) at which the loss of one pair is `target` (n,); the last of SCALES where none does.

    The loss need not rise with the scale, so that a grid finds its crossings first. The one with the largest `lot`
    (len(SCALES) - 1, n) is taken, and the first of equal ones: beyond it both softmaxes have settled on one and the
    same token.
    """

    def miss(scale: Tensor) -> Tensor:
        return _loss_at(shapes, temperature, scale, squared=squared, both=both).clamp(min=1e-12).log() - target.log()

    grid = SCALES.to(target).log()
    misses = torch.stack([miss(one.exp()) for one in grid])
    crossed = misses[:-1].sign() != misses[1:].sign()
    bracket = (lot * crossed).argmax(0, keepdim=True)
    low, high = grid[bracket].squeeze(0), grid[bracket + 1].squeeze(0)
    at_low, at_high = (misses.gather(0, bracket + i).squeeze(0) for i in range(2))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at_middle = miss(middle.exp())
        beyond = at_middle.sign() == at_high.sign()
        low, at_low = torch.where(beyond, low, middle), torch.where(beyond, at_low, at_middle)
        high, at_high = torch.where(beyond, middle, high), torch.where(beyond, at_middle, at_high)
    chord = low - at_low * (high - low) / (at_high - at_low)
    return (torch.where(crossed.any(0), chord, grid[-1]).exp() * temperature).unsqueeze(-1)


def _loss_at(
    shapes: tuple[Tensor, Tensor], temperature: Tensor, scale: Tensor | float, *, squared: bool, both: bool
) -> Tensor:
    """The loss (n,) of logits that are scaled to `scale` times the temperature: only the quotient matters."""
    one = torch.ones_like(temperature) / scale
    divergence = kd_loss(*shapes, one, teacher_temperature=None if both else one / temperature, squared=False)
    return divergence * temperature**2 if squared else divergence


def _split(pairs: Pairs) -> tuple[tuple[Tensor, ...], ...]:
    """Temperature, target and positions, part by part."""
    return tuple(torch.split(one, _counts(pairs)) for one in (pairs.temperature, pairs.target, pairs.positions))


def _counts(pairs: Pairs) -> list[int]:
    """The scenarios of each part."""
    return [student.shape[0] for student, _ in pairs.logits]


def _log_uniform(like: Tensor, stream: Stream, low: float, high: float) -> Tensor:
    """Shape (n,)."""
    return stream.between(low, high, tuple(like.shape)).to(like.dtype)


def _given_or(facts: Mapping[str, Fact], name: str, like: Tensor, stream: Stream, low: float, high: float) -> Tensor:
    known = number(facts, name, least=LEAST)
    return _log_uniform(like, stream, low, high) if known is None else torch.full_like(like, known)


def _temperature(value: Value) -> float:
    temperature = amount("temperature", value)
    if not 0 < temperature < math.inf:
        raise PostmortemError(f"temperature takes a number above 0, not {value!r}")
    return temperature


def _both(value: Value) -> bool:
    if value not in {"both", "student"}:
        raise PostmortemError(f"sides takes both or student, not {value!r}")
    return value == "both"
