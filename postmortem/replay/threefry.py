"""Threefry-2x32: random bits as a function of a key and a counter, the same on every device.

Source: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, section 3.2: Threefish's
round on 32-bit words, with as many rounds, 13, as pass every test of BigCrush.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

ROUNDS: Final = 13
_ROTATIONS: Final = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY: Final = 0x1BD11BDA
#: Rounds between two additions of the key.
_INJECTED: Final = 4


def threefry(
    key: tuple[int, int], first: int, count: int, *, device: str = "cpu", high: int = 0
) -> tuple[Tensor, Tensor]:
    """Two words each for the counters (first + i, high), i = 0 to count - 1.

    Args:
        key: two words of 32 bits.
        first: the first counter's low word.
        count: how many counters.
        device: where the words are wanted.
        high: the high word of all counters.

    Returns:
        Two tensors of shape (count,), int32, whose bit patterns are the words.
    """
    keys = (*key, _PARITY ^ key[0] ^ key[1])
    one = torch.arange(first, first + count, dtype=torch.int64, device=device).to(torch.int32).add_(_signed(keys[0]))
    other = torch.full_like(one, _signed(high + keys[1]))
    spare = torch.empty_like(one)
    for turn in range(ROUNDS):
        one.add_(other)
        _rotate(other, _ROTATIONS[turn % len(_ROTATIONS)], spare)
        other.bitwise_xor_(one)
        if turn % _INJECTED == _INJECTED - 1:
            place = turn // _INJECTED + 1
            one.add_(_signed(keys[place % 3]))
            other.add_(_signed(keys[(place + 1) % 3] + place))
    return one, other


def _rotate(words: Tensor, by: int, spare: Tensor) -> None:
    """Rotate left in place; the shift to the right copies the sign, which a mask takes off."""
    torch.bitwise_right_shift(words, 32 - by, out=spare)
    words.bitwise_left_shift_(by).bitwise_or_(spare.bitwise_and_((1 << by) - 1))


def _signed(word: int) -> int:
    """The int32 with the bits of `word`, taken modulo 2^32."""
    return (word + (1 << 31)) % (1 << 32) - (1 << 31)
