"""An attention that is nan: by its mask or by its product, and what each fix does to either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch.nn import functional

from postmortem.errors import PostmortemError
from postmortem.replay.mechanisms.attentions import MaskedRow, OverflowedProduct
from tests.replay.verdicts import LAB, each, pooled, run

if TYPE_CHECKING:
    from postmortem.replay.protocol import Fact, Value

NAN: dict[str, Fact] = {"kind": "nan", "dtype": "fp16"}
ROW, ADDED = ("masked_row", "filled with -inf"), ("masked_row", "-inf added")
LEAST, PRODUCT = ("masked_row", "filled with the least number"), ("overflowed_product", None)


@pytest.mark.parametrize(("knob", "new"), [("mask_fill", -1e4), ("mask_fill", "min"), ("safe_softmax", "true")])
def test_a_finite_fill_or_a_safe_softmax_cures_a_masked_row_and_no_product(knob: str, new: Value) -> None:
    answer = run("masked-attention-row", NAN, **{knob: new})
    for claim in ("finite-output", "finite-gradient"):
        said = each(answer, claim)
        assert (said[ROW], said[ADDED], said[PRODUCT]) == ("confirmed", "confirmed", "refuted")
        assert said[LEAST] == "not_reproduced"
    assert pooled(run("masked-attention-row", {**NAN, "dtype": "bf16"}, **{knob: new}), "finite-output") == {
        knob: "confirmed"
    }


def test_scaling_before_the_product_cures_the_product_and_no_masked_row() -> None:
    said = each(run("masked-attention-row", NAN, scaling="before"), "finite-output")
    assert (said[ROW], said[PRODUCT]) == ("refuted", "confirmed")


def test_a_wider_dtype_cures_the_product_and_no_masked_row() -> None:
    said = each(run("masked-attention-row", NAN, dtype="bf16"), "finite-output")
    assert (said[ROW], said[PRODUCT]) == ("refuted", "confirmed")
    assert each(run("masked-attention-row", {"dtype": "bf16"}, scaling="before"), "finite-output")[PRODUCT] == (
        "not_reproduced"
    )


def test_replacing_nan_weights_leaves_the_gradient_nan_where_the_mask_is_added() -> None:
    answer = run("masked-attention-row", NAN, nan_to_num="true")
    assert pooled(answer, "finite-output") == {"nan_to_num": "confirmed"}
    said = each(answer, "finite-gradient")
    assert (said[ADDED], said[ROW]) == ("refuted", "confirmed")


def test_a_fill_that_is_not_low_enough_lets_masked_keys_through() -> None:
    assert each(run("masked-attention-row", NAN, mask_fill=-1e4), "no-leak")[ROW] == "confirmed"
    assert each(run("masked-attention-row", NAN, mask_fill=-1.0), "no-leak")[ROW] == "refuted"


def test_an_infinity_is_the_product_s() -> None:
    said = each(run("masked-attention-row", {**NAN, "kind": "inf"}, mask_fill=-1e4), "finite-output")
    assert (said[ROW], said[ADDED], said[PRODUCT]) == ("not_reproduced", "not_reproduced", "refuted")


def test_the_output_is_that_of_torchs_own_attention() -> None:
    mechanism = OverflowedProduct()
    heads = mechanism.drawn({"dtype": "fp32"}, LAB)
    query, key, value = heads.states.double()
    expected = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    assert bool(expected.isfinite().all())
    observed = mechanism.observe(heads, {})
    assert bool(observed["finite"].all())
    # in fp16 a product beyond 65,504 + 16 rounds to infinity
    product = (query.half().double() @ key.half().double().transpose(-1, -2)).abs().flatten(1).amax(-1)
    overflow = mechanism.observe(heads, {"dtype": "fp16"})["overflow"] > 0
    clear = (product < 65400) | (product > 65640)
    assert bool(((product > 65520) == overflow)[clear].all())
    assert bool(overflow.any())


def test_rows_that_see_no_key_are_the_padded_ones() -> None:
    heads = MaskedRow("filled with -inf").drawn(NAN, LAB)
    # a causal row sees the keys up to its own; with the first p padded, the first p rows see none
    padded = (~heads.seen).sum(-1)
    assert set(padded.tolist()) == set(range(1, 8))
    seen = torch.ones(8, 8).tril().bool() & heads.seen[0].cpu()
    weights = torch.zeros(8, 8).masked_fill(~seen, -torch.inf).softmax(-1)
    assert int(weights.isnan().all(-1).sum()) == int(padded[0])


def test_the_predictions_follow_what_is_left() -> None:
    answer = run("masked-attention-row", {**NAN, "kind": "inf"}, scaling="before")
    assert [prediction.metric for prediction in answer.predictions] == ["attention_logit"]
    answer = run("masked-attention-row", {**NAN, "dtype": "bf16"}, mask_fill=-1e4)
    assert [prediction.metric for prediction in answer.predictions] == ["visible_keys"]


@pytest.mark.parametrize(("knob", "bad"), [("mask_fill", 1.0), ("mask_fill", "low"), ("scaling", "never")])
def test_a_bad_knob_is_named(knob: str, bad: Value) -> None:
    with pytest.raises(PostmortemError, match=f"{knob} takes"):
        run("masked-attention-row", NAN, **{knob: bad})
