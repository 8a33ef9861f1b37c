"""Families of student and teacher logits, up to their scale: what no log of a distillation shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.values import between

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Family:
    """A shape of logits up to its scale: `draw(divergence (n,), vocabulary, generator)` -> two of (n, V)."""

    name: str
    draw: Callable[[Tensor, int, torch.Generator], tuple[Tensor, Tensor]]
    #: Whether both may have settled on one token, where a larger scale brings them closer again.
    settled: bool = False


def gaussian(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Normal logits, of like width, from unrelated to closely related."""
    return _related(divergence, vocabulary, generator, _normal)


def heavy_tailed(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Laplacian logits: the softmax condenses on a few tokens as they grow."""
    return _related(divergence, vocabulary, generator, _laplace)


def outstanding(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A normal bulk under a few outstanding tokens, other ones in the student than in the teacher."""
    student, teacher = (_normal(divergence, vocabulary, generator) for _ in range(2))
    for logits in (student, teacher):
        for _ in range(4):
            height = _reach(vocabulary) * _uniform(divergence, generator, 0.5, 2.0)
            logits.scatter_add_(-1, _token(logits, generator), height)
    return student, teacher


def confident_teacher(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A student that has learnt next to nothing under a teacher that is sure of one or a few tokens."""
    student, teacher = (_normal(divergence, vocabulary, generator) for _ in range(2))
    raised = _top(teacher, 1 / vocabulary, (-divergence).exp().clamp(max=1 / 64), generator)
    height = _reach(vocabulary) * _uniform(divergence, generator, 1.0, 3.0)
    return student * _uniform(divergence, generator, 0.0, 0.1), teacher + height * raised


def agreeing(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The teacher is sure of a token, the student less so of the same one; they differ over the rest."""
    student, teacher = (_normal(divergence, vocabulary, generator) for _ in range(2))
    token = _token(teacher, generator)
    for logits, most in ((student, 2.0), (teacher, 5.0)):
        logits.scatter_add_(-1, token, _reach(vocabulary) * _uniform(divergence, generator, 1.0, most))
    return student * _uniform(divergence, generator, 0.05, 0.35), teacher


def truncated_teacher(divergence: Tensor, vocabulary: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A flat student under a teacher of which only the top k logits were kept, at most half of them.

    A flat student is ln(V / k) away from it at the least, so that k is drawn where `divergence` is in reach.
    """
    student, teacher = (_normal(divergence, vocabulary, generator) for _ in range(2))
    kept = _top(teacher, (-divergence).exp().clamp(1 / vocabulary, 0.5), 0.5, generator)
    return student * _uniform(divergence, generator, 0.0, 0.1), teacher.masked_fill(~kept, -math.inf)


FAMILIES: Final = (
    Family("Gaussian logits", gaussian),
    Family("heavy-tailed logits", heavy_tailed),
    Family("outstanding logits", outstanding),
    Family("flat student, confident teacher", confident_teacher),
    Family("agreement on the top token", agreeing, settled=True),
    Family("flat student, truncated teacher", truncated_teacher),
)


def _related(
    like: Tensor,
    vocabulary: int,
    generator: torch.Generator,
    noise: Callable[[Tensor, int, torch.Generator], Tensor],
) -> tuple[Tensor, Tensor]:
    first, second = (noise(like, vocabulary, generator) for _ in range(2))
    correlation = _uniform(like, generator, 0.0, 0.9)
    width = between(0.5, 2.0, (like.shape[0], 1), generator).to(like.dtype)
    return width * (correlation * first + (1 - correlation**2).sqrt() * second), first


def _reach(vocabulary: int) -> float:
    """About the largest of that many standard normal values."""
    return math.sqrt(2 * math.log(vocabulary))


def _top(logits: Tensor, least: Tensor | float, most: Tensor | float, generator: torch.Generator) -> Tensor:
    """The largest standard normal logits of each pair, log-uniformly between two shares; one at least."""
    ends = [torch.as_tensor(end, dtype=logits.dtype, device=logits.device).log() for end in (least, most)]
    mix = _uniform(logits[:, 0], generator, 0.0, 1.0).squeeze(-1)
    share = torch.lerp(ends[0].expand_as(mix), ends[1].expand_as(mix), mix).exp().unsqueeze(-1)
    threshold = math.sqrt(2) * torch.erfinv(1 - 2 * share)
    return logits >= threshold.minimum(logits.amax(-1, keepdim=True))


def _token(logits: Tensor, generator: torch.Generator) -> Tensor:
    count, vocabulary = logits.shape
    return torch.randint(vocabulary, (count, 1), device=logits.device, generator=generator)


def _normal(like: Tensor, vocabulary: int, generator: torch.Generator) -> Tensor:
    # Drawn in float32, which takes a fifth of the time: a draw needs no more digits.
    return torch.randn(like.shape[0], vocabulary, device=like.device, generator=generator).to(like.dtype)


def _laplace(like: Tensor, vocabulary: int, generator: torch.Generator) -> Tensor:
    u = 2 * torch.rand(like.shape[0], vocabulary, device=like.device, generator=generator) - 1
    return (-u.sign() * torch.log1p(-u.abs().clamp(max=1 - 1e-7))).to(like.dtype)


def _uniform(like: Tensor, generator: torch.Generator, low: float, high: float) -> Tensor:
    """Shape (n, 1)."""
    u = torch.rand(like.shape[0], 1, dtype=like.dtype, device=like.device, generator=generator)
    return low + (high - low) * u
