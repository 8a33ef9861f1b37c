"""Standardising vectors, with the choices that hand-written normalisations differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

Place = Literal["inside", "outside"]
Variance = Literal["two_pass", "moments"]


def variance(x: Tensor, how: Variance = "two_pass") -> Tensor:
    """The population variance of each vector of `x` (..., n), as (..., 1), rounded in the dtype of `x`.

    `two_pass` is the mean of (x - mean)^2. `moments` is E[x^2] - E[x]^2, in which the two terms cancel where
    the mean is large against the spread: of p significant bits none is left once (mean / std)^2 passes 2^p.
    What rounding leaves below 0 is set to 0, since its root would be nan.

    Source: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37 (1983): the two-pass and the textbook algorithm.
    """
    mean = x.mean(-1, keepdim=True)
    if how == "two_pass":
        return (x - mean).square().mean(-1, keepdim=True)
    return (x.square().mean(-1, keepdim=True) - mean.square()).clamp(min=0)


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
    return (x - x.mean(-1, keepdim=True)) / divisor
