"""How far tensors reach in two runs: layer by layer, with an interval over the layers."""

from __future__ import annotations

import pytest

from postmortem import frames
from postmortem.compare.reaches import reaches
from postmortem.run import Run
from tests.report.factory import log


def run(*ranges: tuple[str, float, float]) -> Run:
    rows = [
        {"name": "XV", "scope": scope, "op": "normalise", "min": low, "max": high, "line": place, "file": "x"}
        for place, (scope, low, high) in enumerate(ranges, start=1)
    ]
    return Run({name: frames.build(name, rows if name == "tensors" else []) for name in frames.FRAMES}, [log("x", 9)])


def test_the_larger_end_counts_and_the_layers_are_paired() -> None:
    (found,) = reaches(run(("1", -80, 10), ("2", -10, 40)), run(("2", -4, 1), ("1", -8, 3), ("9", 0, 1)))
    assert [(scope.scope, scope.before, scope.after) for scope in found.scopes] == [("1", 80, 8), ("2", 40, 4)]
    assert found.factor == pytest.approx(10)
    assert (found.factor_low, found.factor_high) == pytest.approx((10, 10))  # both fall by ten: no spread
    assert found.moved is True


def test_layers_that_go_either_way_have_not_moved() -> None:
    # logs of the factors are ln 2 and -ln 2: their mean is 0
    (found,) = reaches(run(("1", 0, 2), ("2", 0, 1)), run(("1", 0, 1), ("2", 0, 2)))
    assert found.factor == pytest.approx(1)
    assert found.moved is False


def test_one_layer_has_no_spread_to_be_held_against() -> None:
    (found,) = reaches(run(("1", 0, 1000)), run(("1", 0, 1)))
    assert (found.moved, found.factor_low) == (None, None)


def test_the_largest_of_several_prints_counts_and_infinite_ones_do_not() -> None:
    (found,) = reaches(run(("1", -2, 3), ("1", -7, 1), ("1", 0, float("inf"))), run(("1", 0, 7)))
    assert (found.scopes[0].before, found.scopes[0].after) == (7, 7)


def test_nothing_shared_is_nothing_compared() -> None:
    assert reaches(run(("1", 0, 1)), run(("2", 0, 1))) == []
