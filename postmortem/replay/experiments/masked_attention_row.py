"""Did an attention become nan in a row of which every key is masked, or by a product beyond the dtype?

Facts: `dtype` of the attention (None: fp16), `kind`, nan or inf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import torch

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanisms.attentions import (
    LARGE,
    ORDINARY,
    POSITIONS,
    WIDTH,
    Attention,
    MaskedRow,
    Masking,
    OverflowedProduct,
)
from postmortem.replay.protocol import Prediction, Prior, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from postmortem.replay.protocol import Fact, Replay

#: A weight below this on a masked key is none: a thousandth of the output, less than 16 bits resolve of it.
LEAK: Final = 1e-3
_KNOBS: Final = frozenset({"mask_fill", "safe_softmax", "nan_to_num", "scaling", "dtype"})


class MaskedAttentionRow(Experiment):
    """The mask or the product, and which change keeps output and gradient finite?"""

    name = "masked-attention-row"
    question = "Is an attention nan because a row has no key left, and which fill or softmax keeps it finite?"
    cannot_show = (
        "Whether the run's masks leave a row without a key, or how large its queries and keys are: the log has to "
        "print them. Nor a fused kernel, which may treat such a row in a way of its own, nor what a uniform row over "
        "padding does to those who read its output; nor states that were not finite before the attention."
    )
    priors = (
        Prior(
            name="head",
            text=f"one, causal, {POSITIONS} positions, width {WIDTH}",
            because="a row is nan or not by its own keys; the width of most heads",
        ),
        Prior(
            name="padding",
            text=f"1 to {POSITIONS - 1} positions at the beginning, where rows are masked; none elsewhere",
            because="left padding is what leaves the first rows of a causal attention without a key",
        ),
        Prior(
            name="queries and keys",
            text=f"normal, of size {ORDINARY[0]:g} to {ORDINARY[1]:g} where rows are masked, "
            f"{LARGE[0]:g} to {LARGE[1]:g} where the product is to overflow, log-uniform",
            because="around that of normalised states, and beyond it up to projections that have grown for long",
        ),
        Prior(
            name="mask",
            text="set to -inf, -inf added, or set to the dtype's least number",
            because="the three in use; what passes back through each differs",
        ),
        Prior(
            name="scaling",
            text="after the product",
            because="as the paper writes it; scaled before it, the product would have to be 8 times larger",
        ),
        Prior(name="dtype", text="fp16, where the log gives none", because="the one whose range a product leaves"),
    )
    claims = (
        Claim.that(
            "finite",
            id="finite-output",
            text="the attention's output is finite",
            knobs=_KNOBS,
            label="finite output (1 yes, 0 no)",
        ),
        Claim.that(
            "usable",
            id="finite-gradient",
            text="the gradient by queries, keys and values is finite",
            knobs=_KNOBS,
            label="finite gradient (1 yes, 0 no)",
        ),
        Claim(
            id="no-leak",
            text=f"a masked key keeps a weight below {LEAK:g} wherever a row sees another key",
            knobs=frozenset({"mask_fill"}),
            quantity="leak",
            label="largest weight of a masked key",
            holds=lambda _before, after, _facts, _fix: after["leak"] < LEAK,
            keeps=True,
        ),
    )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Attention]:  # noqa: ARG002 - all compete
        """Every way to mask, and the product."""
        return (*(MaskedRow(masking) for masking in get_args(Masking)), OverflowedProduct())

    def predict(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[Prediction]:  # noqa: ARG002
        """What each mechanism that is left shows before the softmax, and what a cure shows."""
        left = {replay.mechanism for replay in replays if replay.verdict != "not_reproduced"}
        found = []
        if MaskedRow.name in left:
            found.append(
                Prediction(
                    id=f"{self.name}/keys",
                    metric="visible_keys",
                    where="the least of all rows of the attention that is nan",
                    low=0.0,
                    high=0.0,
                    assumptions=["a row without a key made the nan", "queries, keys and values are finite"],
                    statement="Some row of the mask lets no key be seen",
                    basis="law",
                    rows=Rows(must="any"),
                )
            )
        if OverflowedProduct.name in left:
            found.append(
                Prediction(
                    id=f"{self.name}/product",
                    metric="attention_logit",
                    where="the attention that is nan, before it is scaled",
                    low=torch.finfo(torch.float16).max,
                    high=None,
                    assumptions=["the product is made in fp16", "every row sees a key"],
                    statement="The largest |q . k| is beyond 65,504 before it is divided by sqrt(d)",
                    basis="law",
                    rows=Rows(must="any"),
                )
            )
        return found

    def measure_next(self, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Sequence[str]:  # noqa: ARG002
        """The mask first: it costs nothing to print."""
        return (
            "the number of keys that each row of the mask lets be seen: the least must be 1",
            "min and max of the logits before the mask is applied, and of queries and keys",
            "the number that masked logits are set to, its dtype, and how many masks are added",
            "isfinite of queries, keys and values that enter",
        )


EXPERIMENT = MaskedAttentionRow()
