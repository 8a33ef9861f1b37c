"""What a logger puts before a record is found in each of its spellings, and nothing else is taken for it."""

from __future__ import annotations

import pytest

from postmortem.parsing import loggers


@pytest.mark.parametrize(
    ("prefix", "logger"),
    [
        ("INFO:root: ", None),
        ("INFO:", None),
        ("INFO: ", None),
        ("INFO ", None),
        ("INFO - ", None),
        ("[INFO] ", None),
        ("[INFO]: ", None),
        ("[INFO] : ", None),
        ("[INFO] app.run - ", None),
        ("  INFO | ", None),
        ("app.train - WARNING - ", "app.train"),
        ("valid - ERROR - ", "valid"),
        ("INFO     | app.loop:run:7 - ", None),
    ],
)
def test_a_prefix_is_taken_off_whole(prefix: str, logger: str | None) -> None:
    found = loggers.PREFIX.match(f"{prefix}step 3 loss 0.5")
    assert found is not None
    assert (found[0], found["logger"]) == (prefix, logger)
    assert loggers.blanked(f"{prefix}step 3 loss 0.5") == " " * len(prefix) + "step 3 loss 0.5"


@pytest.mark.parametrize("text", ["INFORMATION gain 0.5", "ERROR: loss is nan", "loss 0.5 INFO", "info gain: 0.5", ""])
def test_what_is_no_prefix_stays(text: str) -> None:
    assert loggers.blanked(text) == text


def test_a_loguru_line_counts_what_stands_first_behind_it() -> None:
    assert loggers.blanked("INFO | app.loop:run:7 - 12/100 loss 0.5").lstrip() == "12/100 loss 0.5"
