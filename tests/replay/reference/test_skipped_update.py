"""What torch's own GradScaler makes of a loop that leaves out update()."""

from __future__ import annotations

import math

from postmortem.replay.reference.skipped_update import batches_until_error


def test_after_a_skipped_batch_the_next_unscale_raises() -> None:
    logged, error = batches_until_error([1.0, math.inf, 1.0, 1.0], skip_above=10.0)

    assert logged == 2
    assert error is not None
    assert error.startswith("unscale_() has already been called")


def test_a_norm_above_the_threshold_is_skipped_as_an_infinite_one_is() -> None:
    assert batches_until_error([3.0, 30.0, 3.0], skip_above=10.0)[0] == 2


def test_a_loop_that_skips_nothing_runs_through() -> None:
    assert batches_until_error([1.0, 2.0, 3.0], skip_above=10.0) == (3, None)
