"""The loss scaler against torch.amp.GradScaler, step by step."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.replay.reference.loss_scaler import LossScaler

# One column a scenario: never an overflow, always one, the search at the start, one now and then.
OVERFLOWS = torch.tensor(
    [[False, True, step < 4, step % 5 == 4] for step in range(16)],
)


def scales_of_torch(overflows: list[bool], init_scale: float, growth_interval: int) -> list[float]:
    """What torch's own scaler says after each step, driven by a weight whose gradient is inf or 1."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=init_scale, growth_interval=growth_interval)
    scales = []
    for overflow in overflows:
        optimizer.zero_grad()
        scaler.scale(weight.sum() * (math.inf if overflow else 1.0)).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    return scales


@pytest.mark.parametrize(("init_scale", "growth_interval"), [(65536.0, 2000), (65536.0, 3), (2.0**127, 1)])
def test_it_takes_the_scales_that_torch_takes(init_scale: float, growth_interval: int) -> None:
    scaler = LossScaler.start(OVERFLOWS.shape[1], init_scale, growth_interval)
    scales = []
    for overflow in OVERFLOWS:
        scaler = scaler.update(overflow)
        scales.append(scaler.scale)

    expected = [scales_of_torch(column, init_scale, growth_interval) for column in OVERFLOWS.T.tolist()]
    assert torch.stack(scales, dim=1).tolist() == expected


def test_three_overflows_halve_three_times_and_clean_steps_leave_the_scale() -> None:
    scaler = LossScaler.start(1)
    for overflow in (True, True, True, False, False):
        scaler = scaler.update(torch.tensor([overflow]))

    assert scaler.scale.tolist() == [65536 / 8]
    assert scaler.clean.tolist() == [2]


def test_an_overflow_starts_the_count_of_clean_steps_anew() -> None:
    scaler = LossScaler.start(1, init_scale=8.0, growth_interval=2)
    seen = []
    for overflow in (False, True, False, False):
        scaler = scaler.update(torch.tensor([overflow]))
        seen.append((scaler.scale.item(), scaler.clean.item()))

    assert seen == [(8, 1), (4, 0), (4, 1), (8, 0)]
