"""Attention logits and masks against a hand computation, float64 and torch's own attention."""

from __future__ import annotations

import math

import pytest
import torch

from postmortem.replay.reference.attention import Scaling, attention_logits, mask_logits
from postmortem.replay.reference.softmax import safe_softmax, stable_softmax

BOTH = pytest.mark.parametrize("scaling", ["before", "after"])


@BOTH
def test_hand_worked(scaling: Scaling) -> None:
    # (1, 2, 3, 4) . (2, 0, 1, 3) = 17, and (1, 2, 3, 4) . (1, 1, 1, 1) = 10, over sqrt(4)
    query = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    key = torch.tensor([[2.0, 0.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    assert attention_logits(query, key, scaling=scaling).tolist() == [[8.5, 5.0]]


@BOTH
@pytest.mark.parametrize("additive", [False, True])
def test_with_a_softmax_and_the_values_it_is_torchs_own(scaling: Scaling, *, additive: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 2, 5, 8, generator=generator, dtype=torch.float64)
    mask = torch.rand(2, 5, 5, generator=generator) < 0.6
    mask[..., 0] = True
    mask[0, 2] = False  # a row of which every key is masked
    chosen = torch.zeros(mask.shape, dtype=torch.float64).masked_fill(~mask, -math.inf) if additive else mask
    ours = safe_softmax(mask_logits(attention_logits(query, key, scaling=scaling), chosen)) @ value
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=chosen)
    torch.testing.assert_close(ours, theirs)
    assert ours[0, 2].abs().max() == 0


def test_float16_is_float64_within_its_steps() -> None:
    query, key = torch.randn(2, 4, 6, 16, generator=torch.Generator().manual_seed(2)).half()
    exact = attention_logits(query.double(), key.double())
    torch.testing.assert_close(attention_logits(query, key).double(), exact, rtol=2**-8, atol=2**-8)


def test_the_product_leaves_float16_before_the_logit_does() -> None:
    # 64 * 40 * 40 = 102,400 is beyond 65,504; over sqrt(64) it is 12,800
    query = torch.full((1, 64), 40.0, dtype=torch.float16)
    assert attention_logits(query, query, scaling="after").tolist() == [[math.inf]]
    assert attention_logits(query, query, scaling="before").tolist() == [[12800.0]]
    assert attention_logits(query.bfloat16(), query.bfloat16(), scaling="after").isfinite().all()


def test_a_row_of_masked_keys_is_nan_with_an_infinite_fill_and_uniform_with_a_finite_one() -> None:
    logits = torch.tensor([[3.0, 1.0], [2.0, 2.0]])
    none = torch.tensor([[False, False], [True, False]])
    assert stable_softmax(mask_logits(logits, none))[0].isnan().all()
    assert stable_softmax(mask_logits(logits, none))[1].tolist() == [1.0, 0.0]
    assert stable_softmax(mask_logits(logits, none, -1e4)).tolist() == [[0.5, 0.5], [1.0, 0.0]]


def test_two_additive_masks_of_the_least_number_add_up_to_minus_infinity() -> None:
    least = torch.finfo(torch.float16).min
    mask = torch.tensor([[least, 0.0]], dtype=torch.float16)
    once = mask_logits(torch.zeros(1, 2, dtype=torch.float16), mask)
    assert once.tolist() == [[-65504.0, 0.0]]
    assert mask_logits(once, mask).tolist() == [[-math.inf, 0.0]]
