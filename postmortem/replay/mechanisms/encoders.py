"""Small untrained transformers, many at once, each with its own weights and its own batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from postmortem.replay.stream import Stream

#: Small enough that a thousand models fit one batch.
WIDTH: Final = 8


def encode(parameters: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Logits of S pre-norm transformers with one layer and one head, without causal mask.

    Args:
        parameters: as `weights` gives them.
        inputs: token indices, shape (S, sequences, positions), int64.

    Returns:
        Shape (S, sequences, positions, vocabulary).
    """
    embedding, key, value, up, down, head = (parameter.unsqueeze(1) for parameter in parameters)
    scenario = torch.arange(len(inputs), device=inputs.device).reshape(-1, 1, 1)
    x = embedding.squeeze(1)[scenario, inputs]
    y = _normalise(x)
    attention = ((y @ key) @ y.transpose(-1, -2) / math.sqrt(WIDTH)).softmax(-1)
    x = x + attention @ y @ value
    x = x + (_normalise(x) @ up).relu() @ down
    return _normalise(x) @ head


def _normalise(x: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def weights(vocabulary: int, count: int, stream: Stream) -> tuple[Tensor, ...]:
    """Embedding, attention, MLP and output of `count` models, shape (count, ...) each.

    All embeddings of a model share an offset, from none to one that makes its tokens all but alike; its output
    is small, as that of an untrained model is.
    """

    def normal(rows: int, columns: int) -> Tensor:
        return stream.normal((count, rows, columns)) / math.sqrt(rows)

    return (
        math.sqrt(vocabulary) * normal(vocabulary, WIDTH) + normal(1, WIDTH) * stream.between(0.01, 3.0, (count, 1, 1)),
        normal(WIDTH, WIDTH),
        normal(WIDTH, WIDTH),
        normal(WIDTH, 4 * WIDTH),
        normal(4 * WIDTH, WIDTH),
        normal(WIDTH, vocabulary) * stream.between(0.003, 0.5, (count, 1, 1)),
    )


def zipf_tokens(vocabulary: int, exponent: Tensor, lots: Tensor) -> Tensor:
    """Tokens by Zipf's law with an `exponent` (S, 1), from uniform `lots` (S, sequences, positions)."""
    place = torch.arange(1, vocabulary + 1, device=lots.device, dtype=lots.dtype)
    cumulative = (place**-exponent).cumsum(-1)
    drawn = torch.searchsorted(cumulative / cumulative[:, -1:], lots.flatten(1))
    return drawn.clamp(max=vocabulary - 1).reshape(lots.shape)
