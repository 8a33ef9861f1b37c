"""The random numbers of a seed: the same on every device, so that a seed means the same scenarios everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.threefry import threefry

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Shape = tuple[int, ...]

#: A draw needs no more digits than float32 has.
_BITS: Final = 24
_WORD: Final = 0xFFFFFFFF
#: Counters that a CPU works through at a time: what they take stays in its cache.
_BLOCK: Final = 1 << 16


class Stream:
    """Numbers in the order in which they are asked for, made on `device`; each call has a key of its own.

    Bits are the same to the last on every device. What is made of them differs by the rounding of a device's
    functions: some units in the last place of a float32.
    """

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self.device = device
        self._seed = seed
        self._calls = 0

    def uniform(self, shape: Shape) -> Tensor:
        """From 0 up to 1, without it: float32."""
        return self._filled(shape, torch.float32, lambda bits: bits.float().mul_(2.0**-_BITS))

    def normal(self, shape: Shape) -> Tensor:
        """Standard normal: float32, at most 5.4."""

        def quantiles(bits: Tensor) -> Tensor:
            # the middles of as many equal parts of -1 to 1 as there are numbers of so many bits, all exact
            middles = bits.mul_(2).sub_((1 << _BITS) - 1).float().mul_(2.0**-_BITS)
            return middles.erfinv_().mul_(math.sqrt(2))

        return self._filled(shape, torch.float32, quantiles)

    def integers(self, low: int, high: int, shape: Shape) -> Tensor:
        """From `low` up to `high`, without it: int64."""
        count = high - low

        def scaled(bits: Tensor) -> Tensor:
            return bits.long().mul_(count).bitwise_right_shift_(_BITS).add_(low)

        return self._filled(shape, torch.int64, scaled)

    def between(self, low: float, high: float, shape: Shape) -> Tensor:
        """Log-uniform between two ends above 0: float32. Their value where they are one, which may be 0.

        An end beyond float32 counts as its largest number: a log can print any.
        """
        low, high = (min(end, torch.finfo(torch.float32).max) for end in (low, high))
        if low == high:
            return torch.full(shape, low, device=self.device)
        return low * (high / low) ** self.uniform(shape)

    def _filled(self, shape: Shape, dtype: torch.dtype, made: Callable[[Tensor], Tensor]) -> Tensor:
        """What is `made` of as many numbers of 24 bits; a counter gives two, for the first half and the second."""
        self._calls += 1
        key, count = (self._seed & _WORD, self._calls), math.prod(shape)
        half = (count + 1) // 2
        filled = torch.empty(2, half, dtype=dtype, device=self.device)
        block = _BLOCK if self.device.startswith("cpu") else max(half, 1)
        for first in range(0, half, block):
            size = min(block, half - first)
            words = threefry(key, first, size, device=self.device, high=self._seed >> 32)
            for row, word in zip(filled, words, strict=True):
                row[first : first + size] = made(word.bitwise_right_shift_(32 - _BITS).bitwise_and_((1 << _BITS) - 1))
        return filled.flatten()[:count].reshape(shape)
