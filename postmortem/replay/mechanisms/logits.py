"""Families of student and teacher logits, up to their scale: what no log of a distillation shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from postmortem.replay.stream import Stream


@dataclass(frozen=True, slots=True)
class Family:
    """A shape of logits up to its scale: `draw(divergence (n,), vocabulary, stream)` -> two of (n, V)."""

    name: str
    draw: Callable[[Tensor, int, Stream], tuple[Tensor, Tensor]]
    #: Whether both may have settled on one token, where a larger scale brings them closer again.
    settled: bool = False


def gaussian(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """Normal logits, of like width, from unrelated to closely related."""
    return _related(divergence, vocabulary, stream, _normal)


def heavy_tailed(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """Laplacian logits: the softmax condenses on a few tokens as they grow."""
    return _related(divergence, vocabulary, stream, _laplace)


def outstanding(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """A normal bulk under a few outstanding tokens, other ones in the student than in the teacher."""
    student, teacher = (_normal(divergence, vocabulary, stream) for _ in range(2))
    for logits in (student, teacher):
        for _ in range(4):
            height = _reach(vocabulary) * _uniform(divergence, stream, 0.5, 2.0)
            logits.scatter_add_(-1, _token(logits, stream), height)
    return student, teacher


def confident_teacher(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """A student that has learnt next to nothing under a teacher that is sure of one or a few tokens."""
    student, teacher = (_normal(divergence, vocabulary, stream) for _ in range(2))
    raised = _top(teacher, 1 / vocabulary, (-divergence).exp().clamp(max=1 / 64), stream)
    height = _reach(vocabulary) * _uniform(divergence, stream, 1.0, 3.0)
    return student * _uniform(divergence, stream, 0.0, 0.1), teacher + height * raised


def agreeing(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """The teacher is sure of a token, the student less so of the same one; they differ over the rest."""
    student, teacher = (_normal(divergence, vocabulary, stream) for _ in range(2))
    token = _token(teacher, stream)
    for logits, most in ((student, 2.0), (teacher, 5.0)):
        logits.scatter_add_(-1, token, _reach(vocabulary) * _uniform(divergence, stream, 1.0, most))
    return student * _uniform(divergence, stream, 0.05, 0.35), teacher


def truncated_teacher(divergence: Tensor, vocabulary: int, stream: Stream) -> tuple[Tensor, Tensor]:
    """A flat student under a teacher of which only the top k logits were kept, at most half of them.

    A flat student is ln(V / k) away from it at the least, so that k is drawn where `divergence` is in reach.
    """
    student, teacher = (_normal(divergence, vocabulary, stream) for _ in range(2))
    kept = _top(teacher, (-divergence).exp().clamp(1 / vocabulary, 0.5), 0.5, stream)
    return student * _uniform(divergence, stream, 0.0, 0.1), teacher.masked_fill(~kept, -math.inf)


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
    stream: Stream,
    noise: Callable[[Tensor, int, Stream], Tensor],
) -> tuple[Tensor, Tensor]:
    first, second = (noise(like, vocabulary, stream) for _ in range(2))
    correlation = _uniform(like, stream, 0.0, 0.9)
    width = stream.between(0.5, 2.0, (like.shape[0], 1)).to(like.dtype)
    return width * (correlation * first + (1 - correlation**2).sqrt() * second), first


def _reach(vocabulary: int) -> float:
    """About the largest of that many standard normal values."""
    return math.sqrt(2 * math.log(vocabulary))


def _top(logits: Tensor, least: Tensor | float, most: Tensor | float, stream: Stream) -> Tensor:
    """The largest standard normal logits of each pair, log-uniformly between two shares; one at least."""
    ends = [torch.as_tensor(end, dtype=logits.dtype, device=logits.device).log() for end in (least, most)]
    mix = _uniform(logits[:, 0], stream, 0.0, 1.0).squeeze(-1)
    share = torch.lerp(ends[0].expand_as(mix), ends[1].expand_as(mix), mix).exp().unsqueeze(-1)
    threshold = math.sqrt(2) * torch.erfinv(1 - 2 * share)
    return logits >= threshold.minimum(logits.amax(-1, keepdim=True))


def _token(logits: Tensor, stream: Stream) -> Tensor:
    count, vocabulary = logits.shape
    return stream.integers(0, vocabulary, (count, 1))


def _normal(like: Tensor, vocabulary: int, stream: Stream) -> Tensor:
    # Drawn in float32, which takes a fifth of the time: a draw needs no more digits.
    return stream.normal((like.shape[0], vocabulary)).to(like.dtype)


def _laplace(like: Tensor, vocabulary: int, stream: Stream) -> Tensor:
    u = 2 * stream.uniform((like.shape[0], vocabulary)) - 1
    return (-u.sign() * torch.log1p(-u.abs().clamp(max=1 - 1e-7))).to(like.dtype)


def _uniform(like: Tensor, stream: Stream, low: float, high: float) -> Tensor:
    """Shape (n, 1)."""
    u = stream.uniform((like.shape[0], 1)).to(like.dtype)
    return low + (high - low) * u
