"""What every experiment shares: where scenarios are drawn, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from postmortem.replay.values import moved


class Pair(NamedTuple):
    """A tensor and something else."""

    one: Tensor
    other: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A tensor in every place where a scenario may hold one."""

    pair: Pair
    parts: tuple[Tensor, ...]
    named: dict[str, Tensor]
    batches: list[Tensor]
    text: str


def test_every_tensor_of_a_scenario_moves_and_the_rest_stays() -> None:
    # the device `meta` holds shapes and no values: what is there has been moved, on any machine
    one = torch.zeros(2)
    there = moved(Scenario(Pair(one, 3.0), (one, one), {"a": one}, [one], "text"), "meta")
    tensors = [there.pair.one, *there.parts, *there.named.values(), *there.batches]
    assert [tensor.device.type for tensor in tensors] == ["meta"] * 5
    assert (there.pair.other, there.text) == (3.0, "text")
    assert isinstance(there.pair, Pair)
    assert one.device.type == "cpu"
