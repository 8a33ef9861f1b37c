"""The small recogniser against torch's own layers, and against the loss at a uniform output."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from postmortem.replay.reference.ctc_network import Batch, Network, ctc_losses

WIDTH, SYMBOLS = 4, 6


def networks(count: int, seed: int = 0) -> Network:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(WIDTH, WIDTH, 3)] * 2 + [(WIDTH, WIDTH)] * 3 + [(WIDTH, SYMBOLS), (SYMBOLS,)]
    weights = [0.5 * torch.randn(count, *shape, generator=generator) for shape in shapes]
    return Network(tuple(weights[:2]), *weights[2:])


def batches(count: int, frames: int = 9, seed: int = 1) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        features=torch.randn(count, 2, frames, WIDTH, generator=generator),
        frames=torch.tensor([[frames, frames - 1]]).expand(count, 2),
        labels=torch.randint(1, SYMBOLS, (count, 2, 3), generator=generator),
        lengths=torch.tensor([[3, 2]]).expand(count, 2),
    )


def alone(network: Network, batch: Batch, index: int, *, normalised: bool) -> torch.Tensor:
    """The losses (2,) of one network, layer by layer, in float64."""
    hidden = batch.features[index].double()
    for weight in network.convolutions:
        hidden = functional.conv1d(hidden.transpose(1, 2), weight[index].double(), padding=1).relu().transpose(1, 2)
        hidden = functional.layer_norm(hidden, (WIDTH,)) if normalised else hidden
    query, key, value = (hidden @ weight[index].double() for weight in network[1:4])
    hidden = hidden + functional.scaled_dot_product_attention(query, key, value)
    logits = functional.linear(hidden, network.head[index].double().T, network.bias[index].double())
    return functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1),
        batch.labels[index],
        batch.frames[index],
        batch.lengths[index],
        reduction="none",
    )


def test_each_network_has_the_loss_that_it_has_alone_in_float64() -> None:
    network, batch = networks(4), batches(4)
    normalised = torch.tensor([0.0, 1.0, 0.0, 1.0])

    losses = ctc_losses(network, batch, normalised.reshape(-1, 1, 1, 1))

    expected = torch.stack([alone(network, batch, i, normalised=bool(normalised[i])) for i in range(4)])
    torch.testing.assert_close(losses.double(), expected, rtol=1e-5, atol=1e-5)


def test_one_backward_gives_each_network_its_own_gradient() -> None:
    weights = networks(3)
    network = Network(
        tuple(weight.requires_grad_() for weight in weights.convolutions),
        *(weight.requires_grad_() for weight in weights[1:]),
    )
    leaves = [*network.convolutions, *network[1:]]
    batch, normalised = batches(3), torch.tensor([1.0, 0.0, 1.0]).reshape(-1, 1, 1, 1)

    together = torch.autograd.grad(ctc_losses(network, batch, normalised).sum(), leaves)

    for index in range(3):
        loss = alone(network, batch, index, normalised=bool(normalised[index]))
        for mine, theirs in zip(together, torch.autograd.grad(loss.sum(), leaves), strict=True):
            torch.testing.assert_close(mine[index], theirs[index], rtol=1e-4, atol=1e-5)


def test_a_uniform_output_costs_the_number_of_frames_times_ln_v_less_the_number_of_alignments() -> None:
    weights = networks(1)
    network = weights._replace(head=torch.zeros_like(weights.head), bias=torch.zeros_like(weights.bias))
    batch = batches(1)._replace(labels=torch.tensor([[[1, 2, 3], [4, 4, 1]]]))

    losses = ctc_losses(network, batch, torch.ones(1, 1, 1, 1))

    # T ln V - ln C(T + L - r, 2L): 9 frames, 3 labels; 8 frames, 2 labels that repeat, which costs one blank.
    expected = [9 * math.log(6) - math.log(math.comb(12, 6)), 8 * math.log(6) - math.log(math.comb(9, 4))]
    assert losses[0].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_runs_the_layers_in_low_precision_and_the_loss_in_float32(dtype: torch.dtype) -> None:
    network, batch, plain = networks(2), batches(2), torch.zeros(2, 1, 1, 1)
    with torch.autocast("cpu", dtype=dtype):
        losses = ctc_losses(network, batch, plain)

    exact = ctc_losses(network, batch, plain)
    assert losses.dtype == torch.float32
    assert not torch.equal(losses, exact)
    torch.testing.assert_close(losses, exact, rtol=0.02, atol=0.02)
