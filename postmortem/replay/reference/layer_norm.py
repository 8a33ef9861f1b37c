"""Layer normalisation: standardised vectors with a gain and a bias, eps inside the root or outside.

Source: Ba, Kiros and Hinton, "Layer normalization" (2016), equation 4; torch.nn.functional.layer_norm has eps inside
the root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.replay.reference.standardise import standardise

if TYPE_CHECKING:
    from torch import Tensor

    from postmortem.replay.reference.standardise import Place


def layer_norm(
    x: Tensor,
    eps: float | Tensor,
    *,
    weight: float | Tensor = 1.0,
    bias: float | Tensor = 0.0,
    place: Place = "inside",
) -> Tensor:
    """Scale to weight * standardise(x) + bias over the last dimension of `x` (..., n), in its dtype: (..., n).

    `weight` and `bias` are numbers or broadcast to (..., n), `eps` to (..., 1). No entry is beyond
    max|weight| sqrt(n - 1) + max|bias|. A vector without spread comes out as the bias, as long as eps is above 0 in
    the dtype of `x`; where it rounds to 0, as 1e-8 does in fp16, it is 0 / 0 = nan.
    """
    return weight * standardise(x, eps, place=place) + bias
