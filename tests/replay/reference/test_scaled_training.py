"""The training loop against the recipe: torch.autocast, GradScaler, clip_grad_norm_ and SGD, one network at a time."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from postmortem.replay.mechanisms.recognisers import Ranges, Recognisers, draw
from postmortem.replay.reference.ctc_network import Network, ctc_losses
from postmortem.replay.reference.scaled_training import Loop, train
from postmortem.replay.stream import Stream

BATCHES = 9
RANGES = Ranges(features=(0.3, 10.0), convolution=(0.4, 1.0), linear=(0.02, 0.5))
#: Large enough for a few steps to change the loss.
LOOP = Loop(lr=0.05, max_norm=2.0)


@pytest.fixture(scope="module")
def networks() -> Recognisers:
    drawn = draw(4, RANGES, Stream(0)).with_loss(100.0)
    return replace(drawn, accumulation=torch.ones(4))


def recipe(networks: Recognisers, index: int, dtype: torch.dtype) -> list[tuple[float, float]]:
    """Norm and loss of each batch, as a user's loop would log them."""
    runs = networks.take(torch.tensor([index])).runs()
    weights = [torch.nn.Parameter(weight) for weight in (*runs.network.convolutions, *runs.network[1:])]
    network = Network(tuple(weights[:2]), *weights[2:])
    optimizer = torch.optim.SGD(weights, lr=LOOP.lr)
    scaler = torch.amp.GradScaler("cpu", enabled=dtype != torch.float32)
    logged = []
    for step in range(BATCHES):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16, enabled=dtype != torch.float32):
            loss = (ctc_losses(network, runs.data[step % len(runs.data)], runs.normalised) * runs.loss_weight).sum()
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(weights, 2.0)
        scaler.step(optimizer)
        scaler.update()
        logged.append((norm.item(), loss.item()))
    return logged


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.float16, 0.02)])
def test_each_network_logs_what_the_recipe_logs(networks: Recognisers, dtype: torch.dtype, tolerance: float) -> None:
    scale = None if dtype == torch.float32 else 65536.0
    trace = train(networks.runs(), replace(LOOP, dtype=dtype, init_scale=scale), BATCHES)

    for index in range(4):
        norms, losses = zip(*recipe(networks, index, dtype), strict=True)
        finite = [math.isfinite(norm) for norm in norms]
        assert trace.norm[:, index].isfinite().tolist() == finite
        assert trace.stepped[:, index].tolist() == finite
        shown = trace.norm[trace.norm[:, index].isfinite(), index].tolist()
        assert shown == pytest.approx([norm for norm in norms if math.isfinite(norm)], rel=tolerance)
        assert trace.loss[:, index].tolist() == pytest.approx(losses, rel=tolerance)


def test_fp16_overflows_at_first_and_bf16_never(networks: Recognisers) -> None:
    half = train(networks.runs(), LOOP, 1)
    brain = train(networks.runs(), replace(LOOP, dtype=torch.bfloat16), 1)

    assert not half.norm.isfinite().any()
    assert half.loss.isfinite().all()
    assert brain.norm.isfinite().all()
    assert brain.stepped.all()


def test_equal_micro_batches_give_the_norm_and_the_loss_of_one(networks: Recognisers) -> None:
    plain = replace(LOOP, dtype=torch.float32, init_scale=None)
    shared = replace(networks, accumulation=torch.full((4,), 8.0))

    one, eight = train(networks.runs(), plain, 2), train(shared.runs(), plain, 2)

    torch.testing.assert_close(eight.norm, one.norm)
    torch.testing.assert_close(eight.loss, one.loss)


def test_eight_micro_batches_take_three_halvings_fewer(networks: Recognisers) -> None:
    def halvings(drawn: Recognisers) -> torch.Tensor:
        # The same batch again and again, so that the largest gradient does not change between the halvings.
        trace = train(replace(drawn, data=drawn.data[:1]).runs(), LOOP, 12, until_settled=True)
        return (~trace.norm.isfinite()).sum(0)

    shared = replace(networks, accumulation=torch.full((4,), 8.0))
    assert torch.equal(halvings(networks) - halvings(shared), torch.full((4,), 3))


def test_a_skip_that_never_reaches_update_leaves_the_scale_where_it_was(networks: Recognisers) -> None:
    stuck = train(networks.runs(), replace(LOOP, skip_above=10.0, skip="scaled"), BATCHES)

    assert not stuck.norm.isfinite().any()
    assert not stuck.stepped.any()


def test_a_skip_after_update_ends_the_search_and_still_leaves_out_all_above_the_threshold(
    networks: Recognisers,
) -> None:
    usual = train(networks.runs(), LOOP, BATCHES).norm[-1]
    low, high = (
        train(networks.runs(), replace(LOOP, skip_above=above), BATCHES)
        for above in (float(usual.min()) / 10, float(usual.max()) * 10)
    )

    assert low.norm[-1].isfinite().all()
    assert not low.stepped.any()
    assert high.stepped[-1].all()


def test_it_ends_early_once_all_are_settled(networks: Recognisers) -> None:
    trace = train(networks.runs(), replace(LOOP, dtype=torch.bfloat16), BATCHES, until_settled=True)

    assert len(trace.norm) == 1
