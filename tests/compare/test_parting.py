"""Where metrics of two runs part: by the printed digits, by batch noise, and not where there is too little to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from postmortem import frames
from postmortem.compare.parting import partings
from postmortem.run import Run
from tests.report.factory import log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.compare.comparison import Parting


def run(
    values: Sequence[float], *, name: str = "loss", steps: Sequence[int | None] | None = None, **same: object
) -> Run:
    rows = [
        {
            "name": name,
            "value": value,
            "step": step,
            "line": 10 + place,
            "record": 0,
            "meaning": "value",
            "file": "x",
            **same,
        }
        for place, (value, step) in enumerate(zip(values, steps or range(len(values)), strict=True))
    ]
    return Run(
        {frame: frames.build(frame, rows if frame == "metrics" else []) for frame in frames.FRAMES}, [log("x", 99)]
    )


def only(before: Run, after: Run, *changed: str) -> Parting:
    (found,) = partings(before, after, changed)
    return found


def test_runs_of_one_seed_part_where_their_digits_do() -> None:
    found = only(run([3.0, 2.9, 2.8, 2.7, 2.6]), run([3.0, 2.9, 2.8, 2.71, 2.6]))
    assert (found.parts, found.step, found.identical) == (True, 3, 3)
    assert (found.before, found.after, found.before_line, found.after_line) == (2.7, 2.71, 13, 13)


def test_what_agrees_to_the_last_digit_does_not_part() -> None:
    found = only(run([3.0, float("nan"), 2.8]), run([3.0, float("nan"), 2.8]))
    assert (found.parts, found.identical, found.shared, found.step) == (False, 3, 3, None)


def test_equal_constants_are_no_shared_seed() -> None:
    """An error rate of 100 % for a while says nothing of seeds; three values are too few for batch noise."""
    found = only(run([100.0, 100.0, 100.0, 90.0], name="cer"), run([100.0, 100.0, 100.0, 80.0], name="cer"))
    assert found.parts is None


def test_different_batches_of_like_runs_do_not_part() -> None:
    random = np.random.default_rng(1)
    found = only(run((2 + random.normal(0, 0.1, 400)).tolist()), run((2 + random.normal(0, 0.1, 400)).tolist()))
    assert found.parts is False
    # the noise of a difference is that of two values: 0.1 * sqrt(2)
    assert found.noise == pytest.approx(0.1414, rel=0.15)
    assert found.difference_low is not None
    assert found.difference_high is not None
    assert found.difference_low < 0 < found.difference_high


def test_a_shift_beyond_the_noise_is_found_near_its_step() -> None:
    random = np.random.default_rng(2)
    before, after = 2 + random.normal(0, 0.05, 300), 2 + random.normal(0, 0.05, 300)
    after[200:] -= 0.5
    found = only(run(before.tolist()), run(after.tolist()))
    assert found.parts is True
    assert found.step is not None
    assert 196 <= found.step <= 200


def test_few_values_cannot_tell() -> None:
    found = only(run([3.0, 2.0, 1.0]), run([3.1, 2.0, 1.4]))
    assert (found.parts, found.step) == (None, None)
    # 0.1, 0, 0.4
    assert found.difference == pytest.approx(0.5 / 3)


def test_a_difference_without_noise_needs_no_more_than_three() -> None:
    found = only(run([9.0, 9.0, 9.0], name="temperature_squared"), run([4.0, 4.0, 4.0], name="temperature_squared"))
    assert (found.parts, found.step, found.difference) == (True, 0, -5)


def test_a_value_that_stops_being_finite_parts() -> None:
    found = only(run([3.0, 2.0, float("nan"), 1.0]), run([3.1, 2.0, 1.5, 1.2]))
    assert (found.parts, found.step) == (True, 2)


def test_only_shared_steps_stand_beside_each_other() -> None:
    found = only(run([1.0, 2.0, 3.0], steps=[0, 10, 20]), run([2.0, 9.0, 3.0], steps=[10, 15, 20]))
    assert (found.shared, found.identical, found.parts) == (2, 2, False)
    apart = only(run([1.0], steps=[1]), run([1.0], steps=[2]))
    assert (apart.shared, apart.parts, apart.because) == (0, None, "no step is printed by both")


def test_a_step_that_is_done_twice_counts_as_it_was_done_last() -> None:
    found = only(run([1.0, 5.0, 2.0], steps=[1, 2, 2]), run([1.0, 2.0], steps=[1, 2]))
    assert (found.shared, found.parts) == (2, False)


def test_values_without_steps_are_taken_in_their_order() -> None:
    found = only(run([1.0, 2.0], steps=[None, None]), run([1.0, 2.0, 3.0], steps=[None, None, None]))
    assert (found.aligned_by, found.shared, found.parts) == ("order", 2, False)


def test_a_batch_of_an_epoch_is_one_of_its_epoch() -> None:
    steps = {"step_unit": "batch_of_epoch"}
    first, second = (
        Run(
            {
                frame: frames.build(
                    frame,
                    [
                        {"name": "loss", "value": value + shift * (epoch == 2), "step": step, "epoch": float(epoch),
                         "line": 1, "record": 0, "meaning": "value", "file": "x", **steps}
                        for epoch in (1, 2)
                        for step, value in enumerate((3.0, 2.0, 1.0))
                    ]
                    if frame == "metrics"
                    else [],
                )
                for frame in frames.FRAMES
            },
            [log("x", 9)],
        )
        for shift in (0.0, 0.5)
    )  # fmt: skip
    found = only(first, second)
    assert (found.shared, found.identical, found.epoch, found.step) == (6, 3, 2.0, 0)


def test_a_setting_that_rescales_a_metric_is_named() -> None:
    assert "kd_weight differs" in only(run([1.0]), run([2.0]), "kd_weight", "lr").not_alike
    assert only(run([1.0]), run([2.0]), "lr").not_alike == ""


def test_values_that_span_decades_differ_by_factors() -> None:
    """Norms of 1e10 to 1e15 have differences without measure; that each is 1e9 times another's is plain at once."""
    random = np.random.default_rng(3)
    wild = np.exp(random.normal(28, 3, 60))
    found = only(run(wild.tolist(), name="grad_norm"), run((1 + random.random(60)).tolist(), name="grad_norm"))
    assert (found.parts, found.step) == (True, 0)
    assert "differences of the logarithm" in found.because
    same = only(run(wild.tolist(), name="grad_norm"), run(np.exp(random.normal(28, 3, 60)).tolist(), name="grad_norm"))
    assert same.parts is False
