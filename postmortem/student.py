"""Student's t: how many standard errors a 95 % interval reaches. To import scipy for it takes longer than it all."""

from __future__ import annotations

from functools import cache
from math import cos, pi, sin, sqrt, tan
from statistics import NormalDist
from typing import Final

_SHARE: Final = 0.95
_NORMAL: Final = NormalDist().inv_cdf((1 + _SHARE) / 2)
#: From here on the series in 1/freedom is right to 1e-12.
_MANY: Final = 200
_HALVINGS: Final = 60


@cache
def two_sided(freedom: int) -> float:
    """The t that 95 % of values lie within, on both sides, at `freedom` degrees of freedom, 1 or more."""
    if freedom >= _MANY:
        return _series(freedom)
    low, high = 0.0, pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < _SHARE else (low, middle)
    return sqrt(freedom) * tan((low + high) / 2)


def _within(angle: float, freedom: int) -> float:
    """The share of values within t = sqrt(freedom) tan(angle) (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0 if freedom == 1 else term
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cos(angle) ** 2 * (k - 1) / k
        total += term
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


def _series(freedom: int) -> float:
    """Abramowitz and Stegun, 26.7.5."""
    z = _NORMAL
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, 1)))
