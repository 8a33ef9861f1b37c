"""Standardising vectors, with the choices that hand-written normalisations differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

Place = Literal["inside", "outside"]
Variance = Literal["two_pass", "moments"]


def mean(x: Tensor) -> Tensor:
    """The mean over the last dimension of `x` (..., n), as (..., 1), in its dtype; 16 bits are added up in float32.

    Halves are added to one another until one number is left. Where two moments cancel, what is left is the rounding of
    their sums; torch's own order of summation is another on each device, and so was a verdict.

    Source: Higham, "The accuracy of floating point summation", SIAM Journal on Scientific Computing 14 (1993): pairwise
    summation, which is also about what the reductions of a GPU do.
    """
    total = x.float() if x.dtype.itemsize < torch.float32.itemsize else x
    while (width := total.shape[-1]) > 1:
        half = width // 2
        paired = total[..., :half] + total[..., half : 2 * half]
        total = torch.cat([paired, total[..., 2 * half :]], dim=-1) if width % 2 else paired
    return (total / x.shape[-1]).to(x.dtype)


def variance(x: Tensor, how: Variance = "two_pass") -> Tensor:
    """The population variance of each vector of `x` (..., n), as (..., 1), rounded in the dtype of `x`.

    `two_pass` is the mean of (x - mean)^2. `moments` is E[x^2] - E[x]^2, in which the two terms cancel where
    the mean is large against the spread: of p significant bits none is left once (mean / std)^2 passes 2^p.
    What rounding leaves below 0 is set to 0, since its root would be nan.

    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37 (1983): the two-pass and the textbook algorithm.
    """
    if how == "two_pass":
        return mean((x - mean(x)).square())
    return (mean(x.square()) - mean(x).square()).clamp(min=0)


def standardise(x: Tensor, eps: float | Tensor, *, place: Place = "inside", how: Variance = "two_pass") -> Tensor:
    """(x - mean) / sqrt(var + eps), or / (sqrt(var) + eps) with `place` outside, over the last dimension.

    `x` is (..., n) and so is the result; `eps` is a number or broadcasts to (..., 1). For n values and any
    eps >= 0 no entry is beyond sqrt(n - 1), however small the variance, as long as the variance is right.

    Source: Ba, Kiros and Hinton, "Layer normalization" (2016), to which torch adds eps inside the root;
    Samuelson, "How deviant can you be?", Journal of the American Statistical Association 63 (1968).
    """
    eps = torch.as_tensor(eps, device=x.device).to(x.dtype)
    var = variance(x, how)
    divisor = (var + eps).sqrt() if place == "inside" else var.sqrt() + eps
    return (x - mean(x)) / divisor
