"""Texts that may stand in a line: none that does is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing.needles import Needles, rarest

WORDS = st.text("abc=:", max_size=7)


@given(st.lists(WORDS, max_size=12), WORDS, WORDS)
def test_every_text_that_stands_in_a_line_is_named(needles: list[str], before: str, behind: str) -> None:
    groups = [[needle] for needle in needles]
    for number, needle in enumerate(needles):
        assert number in Needles(rarest(groups)).maybe_in(before + needle + behind)


def test_a_text_none_of_whose_characters_stand_there_is_not_named() -> None:
    assert Needles(rarest([["loss:"], ["grad_norm"], ["lr"], ["="]])).maybe_in("a loss: 3") == [0]


def test_numbers_come_in_order_and_once() -> None:
    assert Needles(rarest([["grad_norm"], [""], ["loss:"]])).maybe_in("loss: 1, loss: 2, grad_norm: 3") == [0, 1, 2]


def test_of_a_group_every_text_must_stand_there() -> None:
    groups = [["step:", "loss:"], ["step:", "grad_norm"], ["step:"]]
    assert Needles(rarest(groups)).maybe_in("step: 3 loss: 2") == [0, 2]
