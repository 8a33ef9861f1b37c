"""A speech recogniser in small: convolutions, one self-attention, a CTC loss; n independent ones at once.

Source: Graves et al., Connectionist Temporal Classification, 2006, for the loss (torch's own); Vaswani et al.,
Attention Is All You Need, 2017, equation 1; Ba et al., Layer Normalization, 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

BLANK = 0


class Network(NamedTuple):
    """The weights of n networks of width d over v symbols, of which 0 is the blank."""

    convolutions: tuple[Tensor, ...]  # each (n, d, d, 3): output and input channels, taps
    query: Tensor  # (n, d, d), as are key and value
    key: Tensor
    value: Tensor
    head: Tensor  # (n, d, v)
    bias: Tensor  # (n, v)


class Batch(NamedTuple):
    """One batch of b sequences for each of n networks, padded to t frames and l labels."""

    features: Tensor  # (n, b, t, d)
    frames: Tensor  # (n, b) int64, at most t
    labels: Tensor  # (n, b, l) int64 in 1..v-1
    lengths: Tensor  # (n, b) int64, at most l


def ctc_losses(network: Network, batch: Batch, normalised: Tensor) -> Tensor:
    """-ln p(labels) of each sequence: (n, b) float32, without a reduction.

    `normalised` (n, 1, 1, 1) is 1.0 where each convolution is followed by a layer norm and 0.0 where by none.
    Networks share no value: one backward over the sum gives each its own gradient. Runs under autocast; like
    autocast itself, it takes softmax, norm and loss in float32.
    """
    n, b, t, d = batch.features.shape
    hidden = batch.features
    for weight in network.convolutions:
        # n networks are n groups of channels of one convolution.
        channels = hidden.permute(1, 0, 3, 2).reshape(b, n * d, t)
        channels = functional.conv1d(channels, weight.flatten(0, 1), padding=1, groups=n)
        hidden = functional.relu(channels).reshape(b, n, d, t).permute(1, 0, 3, 2).float()
        hidden = normalised * functional.layer_norm(hidden, (d,)) + (1 - normalised) * hidden
    hidden = hidden + _attention(hidden, network)
    logits = torch.baddbmm(network.bias.unsqueeze(1), hidden.flatten(1, 2), network.head)
    log_probabilities = logits.float().log_softmax(-1).reshape(n * b, t, -1).transpose(0, 1)
    losses: Tensor = functional.ctc_loss(
        log_probabilities,
        batch.labels.flatten(0, 1),
        batch.frames.flatten(),
        batch.lengths.flatten(),
        blank=BLANK,
        reduction="none",
    )
    return losses.reshape(n, b)


def _attention(hidden: Tensor, network: Network) -> Tensor:
    """Single-head self-attention of each sequence over its frames, (n, b, t, d) to the same."""
    query, key, value = (
        hidden.flatten(1, 2).bmm(weight).reshape(hidden.shape) for weight in (network.query, network.key, network.value)
    )
    scores = query.matmul(key.transpose(-1, -2)).float() / hidden.shape[-1] ** 0.5
    mixed: Tensor = scores.softmax(-1).matmul(value)
    return mixed
