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
        ("0|train    | loss 2.0", "loss 2.0", None, None),  # PM2
        ("0|train    | 2.0 | 3.0 |", "0|train    | 2.0 | 3.0 |", None, None),  # a row of a table
        ("% | 1 | 50 | 2.0 |", "| 1 | 50 | 2.0 |", None, None),  # a table in a comment
        ("% done", "% done", None, None),
        ("19/05/2025 09:20:10 [342] loss 2.0", "[342] loss 2.0", None, "19/05/2025 09:20:10"),
        ("05/31/2023 10:00:00 - INFO - x", "INFO - x", None, "05/31/2023 10:00:00"),
        ("[06/13/26 14:19:37] INFO x", "INFO x", None, "06/13/26 14:19:37"),
        ("[05/01 10:00:00] ppdet INFO: x", "ppdet INFO: x", None, "05/01 10:00:00"),
        ("2023-01-10,10:00:00 | INFO | x", "INFO | x", None, "2023-01-10,10:00:00"),
        ("2023-05-01 10:00:00.123456: Epoch 0", "Epoch 0", None, "2023-05-01 10:00:00.123456"),
        ("Jan 12 03:04:05 node1 x", "node1 x", None, "Jan 12 03:04:05"),
        ("Mon Jan 12 03:04:05 2026 x", "x", None, "Mon Jan 12 03:04:05 2026"),
        ("12:34:56 | step 10", "step 10", None, "12:34:56"),
        ("[12:34:56] WARNING: x", "WARNING: x", None, "12:34:56"),
        ("02/18-02:52:32.282 loss", "loss", None, "02/18-02:52:32.282"),
        ("2022-11-19_07:19:29.77 loss", "loss", None, "2022-11-19_07:19:29.77"),
        # a traceback that a logger was given as text
        ('09-08 15:18:58 - INFO - __main__ -   File "a.py", line 3', '  File "a.py", line 3', None, "09-08 15:18:58"),
        ("09-08 15:18:58 - INFO - __main__ - TypeError: x", "TypeError: x", None, "09-08 15:18:58"),
        ("2024-09-08 15:18:58 [ERROR]  TypeError: x", "TypeError: x", None, "2024-09-08 15:18:58"),
        ('[ERROR]   File "a.py", line 3', ' File "a.py", line 3', None, None),
        ("ERROR:__main__:TypeError: x", "TypeError: x", None, None),
        (
            "2024-09-08 15:18:58.5 | ERROR    | app.main:run:10 - TypeError: x",
            "TypeError: x",
            None,
            "2024-09-08 15:18:58.5",
        ),
        # one that stands in comments
        ("# Traceback (most recent call last):", "Traceback (most recent call last):", None, None),
        ('#   File "a.py", line 3', '  File "a.py", line 3', None, None),
        ("#> KeyError: 'x'", "KeyError: 'x'", None, None),
        ("# loss 2.5", "# loss 2.5", None, None),
        ("[ERROR] no such option", "[ERROR] no such option", None, None),
        ("09-08 15:18:58 - INFO - __main__ - loss: 2.5", "INFO - __main__ - loss: 2.5", None, "09-08 15:18:58"),
        ("00:00:12 0.5 0.3", "00:00:12 0.5 0.3", None, None),  # a row of a table
    ],
)
def test_rank_and_time_come_off(text: str, body: str, rank: int | None, ts: str | None) -> None:
    found = split(text)
    assert (found.body, found.rank, found.ts, found.reconstructed) == (body, rank, ts, False)


def test_a_reconstructed_line_is_marked() -> None:
    found = split("# reconstructed: eps = 1e-5")
    assert (found.body, found.reconstructed) == ("eps = 1e-5", True)
