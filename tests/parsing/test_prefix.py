"""What launchers put before a line."""

from __future__ import annotations

import pytest

from postmortem.parsing.prefix import split


@pytest.mark.parametrize(
    ("text", "body", "rank", "ts"),
    [
        ("[rank3]: loss 2.0", "loss 2.0", 3, None),
        ("[default7]:loss 2.0", "loss 2.0", 7, None),
        ("[lrdn3321:3]: loss 2.0", "loss 2.0", 3, None),
        ("12: loss 2.0", "loss 2.0", 12, None),
        ("[2023-06-07 22:16:00,018] [INFO] x", "[INFO] x", None, "2023-06-07 22:16:00,018"),
        ("0: 2018-03-10 19:45:57,424:INFO: x", "INFO: x", 0, "2018-03-10 19:45:57,424"),
        ("(TaskRunner pid=625502) step:1", "step:1", None, None),
        ("loss 2.0", "loss 2.0", None, None),
    ],
)
def test_rank_and_time_come_off(text: str, body: str, rank: int | None, ts: str | None) -> None:
    found = split(text)
    assert (found.body, found.rank, found.ts, found.reconstructed) == (body, rank, ts, False)


def test_a_reconstructed_line_is_marked() -> None:
    found = split("# reconstructed: eps = 1e-5")
    assert (found.body, found.reconstructed) == ("eps = 1e-5", True)
