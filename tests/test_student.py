"""Student's t, held against scipy's."""

from __future__ import annotations

import math

import pytest
from scipy.special import stdtrit

from postmortem.student import two_sided


@pytest.mark.parametrize("freedom", [*range(1, 31), 99, 100, 199, 200, 201, 1136, 10**7])
def test_it_is_that_of_scipy(freedom: int) -> None:
    assert math.isclose(two_sided(freedom), float(stdtrit(freedom, 0.975)), rel_tol=2e-12)


def test_with_one_degree_of_freedom_it_is_a_tangent() -> None:
    assert math.isclose(two_sided(1), math.tan(math.pi / 2 * 0.95), rel_tol=1e-12)
