"""The CTC loss written out: the forward algorithm in log space, frame by frame, for many sequences at once.

Source: Graves, Fernández, Gomez and Schmidhuber, "Connectionist Temporal Classification" (2006), section 4.1;
`zero_infinity` is that of torch.nn.functional.ctc_loss.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.reference.ctc_network import BLANK

if TYPE_CHECKING:
    from torch import Tensor

#: Stands for ln 0, so that gradients of what cannot be reached are 0 and not nan.
NEVER: Final = -1e30


def frames_needed(labels: Tensor, lengths: Tensor) -> Tensor:
    """The fewest frames (s,) in which `labels` (s, l), cut to `lengths` (s,), fit: one each, and a blank a repeat."""
    within = torch.arange(1, labels.shape[1], device=labels.device) < lengths.unsqueeze(-1)
    repeats = (labels[:, 1:] == labels[:, :-1]) & within
    return lengths + repeats.sum(-1)


def ctc_loss(
    log_probabilities: Tensor, labels: Tensor, frames: Tensor, lengths: Tensor, *, zero_infinity: bool = False
) -> Tensor:
    """-ln p(labels) in nats, summed over all alignments; inf where there is none.

    Args:
        log_probabilities: shape (s, t, symbols), of which 0 is the blank.
        labels: shape (s, l), int64, none of them the blank.
        frames: how many of the t count, shape (s,).
        lengths: how many of the l count, shape (s,), at least 1.
        zero_infinity: whether an infinite loss is replaced by 0.

    Returns:
        Shape (s,), in the dtype of the log-probabilities.
    """
    count, most = labels.shape
    # Blanks between, before and behind the labels: the states of an alignment.
    states = torch.full((count, 2 * most + 1), BLANK, device=labels.device)
    states[:, 1::2] = labels
    # A state is entered from two before it as well, unless that would merge two equal labels.
    skips = torch.zeros_like(states, dtype=torch.bool)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    emitted = log_probabilities.gather(-1, states.unsqueeze(1).expand(-1, log_probabilities.shape[1], -1))
    emitted = emitted.clamp(min=NEVER)
    reached = torch.full_like(emitted[:, 0], NEVER)
    reached[:, :2] = emitted[:, 0, :2]
    for frame in range(1, log_probabilities.shape[1]):
        one, two = (torch.nn.functional.pad(reached, (k, 0), value=NEVER)[:, : states.shape[1]] for k in (1, 2))
        before = torch.stack([reached, one, two.masked_fill(~skips, NEVER)]).logsumexp(0)
        reached = torch.where((frame < frames).unsqueeze(-1), before + emitted[:, frame], reached)
    ends = reached.gather(-1, 2 * lengths.unsqueeze(-1) + torch.tensor([-1, 0], device=labels.device))
    loss = -ends.logsumexp(-1)
    return loss.where(loss < -NEVER / 2, 0.0 if zero_infinity else math.inf)
