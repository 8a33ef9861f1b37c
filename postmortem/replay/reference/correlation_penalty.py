"""A penalty on the correlation of two vectors: with a pole where they agree, and bounded.

Source: -ln(1 - |c|) is the barrier of Boyd and Vandenberghe, "Convex Optimization" (2004), section 11.2.1, put on
the correlation; c^2 is the usual bounded choice (Cogswell et al., "Reducing Overfitting in Deep Networks by
Decorrelating Representations", 2016, penalise squared covariances).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Form = Literal["log", "square"]


def correlation(x: Tensor, y: Tensor, eps: float | Tensor = 0.0) -> Tensor:
    """The cosine x . y / (|x| |y| + eps) over the last dimension: (..., n) and (..., n) to (...).

    Its gradient by x is (y/|y| - c x/|x|) / |x|, of norm sqrt(1 - c^2) / |x|: it vanishes where c is 1 or -1, and is
    large where |x| is small, at most 1 / eps times |y|.
    """
    product = (x * y).sum(-1)
    lengths = x.square().sum(-1).sqrt() * y.square().sum(-1).sqrt()
    return product / (lengths + eps)


def penalty(c: Tensor, form: Form, largest: float | Tensor = math.inf) -> Tensor:
    """-ln(1 - |c|) or c^2 of correlations (...), whose |c| is cut at `largest`: (...).

    The derivative of -ln(1 - |c|) by c is 1 / (1 - |c|), which is exp of the penalty itself. In float32 1 - |c| is 0
    or at least 2^-24, so that no finite penalty is above 16.7. Behind a cut the derivative is 0.
    """
    size = c.abs().clamp(max=largest)
    return -(1 - size).log() if form == "log" else size.square()
