"""What is spelled in a way of its own is written as everything else is, each character in its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing import spelled
from tests.parsing.reading import values


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("epoch: {1/300}, loss : {2.5}, lr : {1e-04}", "epoch:  1/300 , loss :  2.5 , lr :  1e-04 "),
        ("dev MAE: **2.5**", "dev MAE:   2.5  "),
        ("epoch::0 loss::2.5", "epoch: 0 loss: 2.5"),
        ("('Epoch: ', 116)", "  Epoch:    116 "),
        ("loss -> 0.5, acc->0.75", "loss =  0.5, acc= 0.75"),
        ("from 0.5 -> 0.75", "from 0.5 -> 0.75"),  # a change
        ("Loss: <1.5>", "Loss:  1.5 "),
        ("{'loss': 2.5}", "{'loss': 2.5}"),  # a dict
        ("loss: {loss:.4f}", "loss: {loss:.4f}"),  # a field that was never filled
        ("shape: {3, 4}", "shape: {3, 4}"),
    ],
)
def test_it_is_written_as_everything_else(text: str, usual: str) -> None:
    assert spelled.plain(text) == usual


@given(st.text(max_size=60))
def test_all_stays_in_its_place(text: str) -> None:
    assert len(spelled.plain(text)) == len(text)


def test_values_in_braces_are_values_and_counters_count() -> None:
    assert values("INFO epoch: {2/300}, step: {1/2}, loss : {2.0086918}, lr : {0.0001000}\n") == [
        (1, 2.0, "loss", None, 2.0086918),
        (1, 2.0, "lr", None, 0.0001),
    ]
