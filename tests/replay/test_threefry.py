"""Threefry against the authors' known answers, and against arithmetic on Python's own integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postmortem.replay.threefry import threefry

if TYPE_CHECKING:
    import torch

WORD = 0xFFFFFFFF


def words(*tensors: torch.Tensor) -> list[tuple[int, ...]]:
    return list(zip(*([value & WORD for value in tensor.tolist()] for tensor in tensors), strict=True))


def by_hand(key: tuple[int, int], counter: tuple[int, int], rounds: int) -> tuple[int, int]:
    """The definition, word by word: mix, and after every fourth round the next two words of the key, and a count."""
    schedule = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    x, y = (counter[0] + schedule[0]) & WORD, (counter[1] + schedule[1]) & WORD
    for done in range(1, rounds + 1):
        turn = [13, 15, 26, 6, 17, 29, 16, 24][(done - 1) % 8]
        x = (x + y) & WORD
        y = ((y << turn | y >> (32 - turn)) & WORD) ^ x
        if done % 4 == 0:
            count = done // 4
            x, y = (x + schedule[count % 3]) & WORD, (y + schedule[(count + 1) % 3] + count) & WORD
    return x, y


def test_the_known_answers_of_thirteen_and_twenty_rounds() -> None:
    # from the table of known answers that the authors' Random123 comes with: key and counter 0
    assert words(*threefry((0, 0), 0, 1)) == [(0x9D1C5EC6, 0x8BD50731)]
    assert by_hand((0, 0), (0, 0), 13) == (0x9D1C5EC6, 0x8BD50731)
    assert by_hand((0, 0), (0, 0), 20) == (0x6B200159, 0x99BA4EFE)


@given(
    st.tuples(st.integers(0, WORD), st.integers(0, WORD)),
    st.integers(0, WORD - 3),
    st.integers(0, WORD),
)
def test_every_key_and_counter_is_the_definition(key: tuple[int, int], first: int, high: int) -> None:
    expected = [by_hand(key, (first + place, high), 13) for place in range(3)]
    assert words(*threefry(key, first, 3, high=high)) == expected
