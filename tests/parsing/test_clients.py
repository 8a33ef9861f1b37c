"""What one of several clients prints."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("Client client3 - Fit history:  {'loss': [0.14], 'val_accuracy': [0.5]}", {"Client client3"}),
        ("[Client 5] epoch 2 loss: 0.25", {"Client 5"}),
        ("client_7: loss 0.25", {"client_7"}),
        ("Clients: 5, loss: 0.5", {None}),
        ("Round 3: client 4 loss 0.5", {None}),  # the server's words
    ],
)
def test_what_a_client_prints_is_of_its_own_data(text: str, scopes: set[str | None]) -> None:
    assert {pair.scope for pair in read_record(text, NAMES).metrics} == scopes
