"""Many small CTC recognisers at once, with their data: what replays of speech training draw from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.reference.ctc_network import Batch, Network
from postmortem.replay.reference.scaled_training import Runs, gradients

if TYPE_CHECKING:
    from torch import Tensor

    from postmortem.replay.stream import Stream

WIDTH: Final = 8
SYMBOLS: Final = 32
SEQUENCES: Final = 2
FRAMES: Final = 24
LABELS: Final = 5
#: Batches that are drawn; a longer run repeats them, which costs nothing before the first step.
BATCHES: Final = 3
#: He's initial standard deviations of a convolution with three taps and of a linear layer.
HE_CONVOLUTION: Final = math.sqrt(2 / (3 * WIDTH))
HE_LINEAR: Final = math.sqrt(2 / WIDTH)


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ends of the log-uniform priors: the size of the features, and of the weights in units of He's."""

    features: tuple[float, float]
    convolution: tuple[float, float]
    linear: tuple[float, float]
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Recognisers:
    """n networks, each with its own weights, data and loss."""

    unit: Network  # of variance 1, the bias 0: the initial size stands apart, so that it can be turned alone
    convolution: Tensor  # (n,) standard deviation
    linear: Tensor  # (n,) standard deviation
    normalised: Tensor  # (n, 1, 1, 1), see ctc_losses
    data: tuple[Batch, ...]
    loss_weight: Tensor  # (n,), see Runs
    accumulation: Tensor  # (n,), see Runs

    def runs(self, weight_init: float | None = None) -> Runs:
        """Ready to be trained, with all initial weights of standard deviation `weight_init` if it is given."""
        convolution, linear = (
            (std if weight_init is None else torch.full_like(std, weight_init)).reshape(-1, 1, 1)
            for std in (self.convolution, self.linear)
        )
        unit = self.unit
        network = Network(
            convolutions=tuple(weight * convolution.unsqueeze(-1) for weight in unit.convolutions),
            query=unit.query * linear,
            key=unit.key * linear,
            value=unit.value * linear,
            head=unit.head * linear,
            bias=unit.bias,
        )
        return Runs(network, self.data, self.normalised, self.loss_weight, self.accumulation)

    def take(self, index: Tensor) -> Recognisers:
        """Those at `index`, in that order."""
        return Recognisers(
            Network(
                tuple(weight[index] for weight in self.unit.convolutions),
                *(weight[index] for weight in self.unit[1:]),
            ),
            self.convolution[index],
            self.linear[index],
            self.normalised[index],
            tuple(Batch(*(part[index] for part in batch)) for batch in self.data),
            self.loss_weight[index],
            self.accumulation[index],
        )

    def with_loss(self, loss: float | Tensor) -> Recognisers:
        """The same with a loss of `loss`, or (n,), on the first batch, in float32.

        The weight of the loss is the free scale: it stands for the reduction, and for longer sequences.
        """
        return replace(self, loss_weight=self.loss_weight * loss / self.first_gradient(self.data[0])[0])

    def first_gradient(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """The loss (n,) of one batch and its gradients (n, ...) before training, in float32."""
        network = self.runs().network
        weights = [*network.convolutions, *network[1:]]
        return gradients(weights, batch, self.normalised, self.loss_weight, torch.float32)

    def largest_entries(self) -> Tensor:
        """The largest entry of a micro batch's first gradient, in absolute value: (batches, n)."""
        largest = [
            torch.stack([one.flatten(1).abs().amax(1) for one in self.first_gradient(batch)[1]]).amax(0)
            for batch in self.data
        ]
        return torch.stack(largest) / self.accumulation


def draw(count: int, ranges: Ranges, stream: Stream) -> Recognisers:
    """`count` recognisers, half of them without normalisation; the loss is torch's 'mean', per label."""

    def normal(*shape: int) -> Tensor:
        return stream.normal((count, *shape))

    def whole(low: int, high: int, *shape: int) -> Tensor:
        return stream.integers(low, high + 1, (count, *shape))

    size = stream.between(*ranges.features, (count, 1, 1, 1))
    return Recognisers(
        unit=Network(
            tuple(normal(WIDTH, WIDTH, 3) for _ in range(ranges.depth)),
            normal(WIDTH, WIDTH),
            normal(WIDTH, WIDTH),
            normal(WIDTH, WIDTH),
            normal(WIDTH, SYMBOLS),
            torch.zeros(count, SYMBOLS, device=stream.device),
        ),
        convolution=HE_CONVOLUTION * stream.between(*ranges.convolution, (count,)),
        linear=HE_LINEAR * stream.between(*ranges.linear, (count,)),
        normalised=whole(0, 1, 1, 1, 1).float(),
        data=tuple(
            Batch(
                features=size * normal(SEQUENCES, FRAMES, WIDTH),
                frames=whole(FRAMES // 2, FRAMES, SEQUENCES),
                labels=whole(1, SYMBOLS - 1, SEQUENCES, LABELS),
                lengths=whole(2, LABELS, SEQUENCES),
            )
            for _ in range(BATCHES)
        ),
        loss_weight=torch.full((count,), 2 / ((2 + LABELS) * SEQUENCES), device=stream.device),
        accumulation=2.0 ** whole(0, 3),
    )
