"""What a tensor's range is of, by its name."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "name", "kind", "op"),
    [
        ("Layer 3 ln_2_out: min=-2.0, max=3.0", "ln_2_out", "activation", "normalise"),
        ("Layer 3 LayerNorm output: min=-2.0, max=3.0", "LayerNorm", "activation", "normalise"),
        ("block 1: attn_weights: min=0.0, max=1.0, mean=0.1", "attn_weights", "activation", "softmax"),
        ("blocks.4.mlp.relu: min=0.0, max=7.5", "blocks.4.mlp.relu", "activation", "relu"),
        ("Layer 3 pre_ln: min=-2.0, max=3.0", "pre_ln", "activation", None),
        ("Layer 3 ln.weight: min=0.5, max=3.0", "ln.weight", "parameter", None),
        ("Layer 3 log_softmax: min=-9.0, max=-0.5", "log_softmax", "activation", None),
        ("Layer 3 tanh_grad: min=-9.0, max=0.5", "tanh_grad", "gradient", None),
        ("Layer 3 softmax_temperature: min=1.0, max=2.0", "softmax_temperature", "activation", None),
        ("Layer 3 attn: min=-9.0, max=0.5", "attn", "activation", None),
    ],
)
def test_the_end_of_a_name_says_what_gave_the_tensor(text: str, name: str, kind: str, op: str | None) -> None:
    tensor = read_record(text, NAMES).tensor
    assert tensor is not None
    assert (tensor["name"], tensor["kind"], tensor["op"]) == (name, kind, op)
