"""A number and a colon before a line are the label of a rank, unless all lines together say that it counts."""

from __future__ import annotations

import pytest

from tests.parsing.reading import metrics


def placed(text: str) -> list[tuple[int | None, int | None]]:
    """Rank and step of each value."""
    return metrics(text).select("rank", "step").rows()


def test_labels_that_grow_by_more_than_one_are_steps() -> None:
    assert placed("100: loss 0.5\n200: loss 0.4\n300: loss 0.3\n") == [(None, 100), (None, 200), (None, 300)]


def test_a_dozen_that_count_one_by_one_are_steps() -> None:
    text = "".join(f"{step}: loss {1 / (step + 1):.3f}\n" for step in range(12))
    assert placed(text) == [(None, step) for step in range(12)]


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("0: loss 0.5\n1: loss 0.4\n2: loss 0.3\n", [0, 1, 2]),  # each rank once
        ("0: loss 0.5\n8: loss 0.4\n0: loss 0.3\n", [0, 8, 0]),  # again
        ("8: loss 0.5\n0: loss 0.4\n16: loss 0.3\n", [8, 0, 16]),  # as they come
    ],
)
def test_what_may_be_ranks_stays(text: str, ranks: list[int]) -> None:
    assert placed(text) == [(rank, None) for rank in ranks]


def test_where_steps_are_counted_labels_are_ranks() -> None:
    text = "0: step 5 loss 0.5\n8: step 5 loss 0.4\n16: step 5 loss 0.3\n"
    assert placed(text) == [(0, 5), (8, 5), (16, 5)]
