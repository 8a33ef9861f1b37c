"""The bar that a log ends in: told where it is the last thing, and not full."""

from __future__ import annotations

import json

import pytest

from tests.parsing.reading import read

BAR = "Training:   4%|▍         | 1/28 [00:31<14:22, 31.96s/it]"


def bars(text: str) -> list[tuple[int, dict[str, object]]]:
    """Line and fields of each event of an unfinished bar."""
    events = read(text).log.frames()["events"]()
    rows = events.filter(events["kind"] == "bar_unfinished")
    return [(line, json.loads(fields)) for line, fields in rows.select("line", "fields").iter_rows()]


@pytest.mark.parametrize("end", ["", "\n", "\r", "\n\n", "\n   \n", "\x1b[A\n"])
def test_the_last_state_is_told_whatever_follows_it_that_is_blank(end: str) -> None:
    states = "Training:   0%|          | 0/28 [00:00<?, ?it/s]\r" + BAR
    assert bars(f"epochs: 2\nloss: 1.5\n{states}{end}") == [(3, {"done": 1, "total": 28, "spent": "00:31"})]


def test_a_bar_of_which_no_rate_is_known_yet_is_one() -> None:
    assert bars("epochs: 2\n  0%|          | 0/99 [08:24<?, ?it/s]") == [
        (2, {"done": 0, "total": 99, "spent": "08:24"})
    ]


@pytest.mark.parametrize(
    "text",
    [
        "100%|##########| 28/28 [14:53<00:00, 31.96s/it]\n",
        BAR + "\nsaved\n",
        "step 1/28 loss: 2.5\n",
        "",
        "\n\n",
    ],
    ids=["full", "something follows", "no bar", "empty", "blank"],
)
def test_what_is_no_unfinished_bar_at_the_end(text: str) -> None:
    assert bars("epochs: 2\n" + text) == []


def test_of_a_long_log_the_end_is_looked_at() -> None:
    lines = "".join(f"step {step}: loss 2.5\n" for step in range(1, 1001))
    assert bars(lines + BAR + "\n") == [(1001, {"done": 1, "total": 28, "spent": "00:31"})]
