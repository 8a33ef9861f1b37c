"""Lines of progress below the exception that ended their process: they had waited in a buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import postmortem

if TYPE_CHECKING:
    from pathlib import Path

FRAME = '  File "/opt/train.py", line 88, in <module>\n    main()\n'
TRACEBACK = f"Traceback (most recent call last):\n{FRAME}KeyError: 'image'\n"


def epochs(first: int, last: int, more: str = "") -> str:
    """A line for each epoch."""
    return "".join(f"{more}Epoch {epoch}: loss {3 - epoch / 100}\n" for epoch in range(first, last + 1))


def causes(tmp_path: Path, text: str) -> list[str]:
    """The root causes that are found."""
    log = tmp_path / "train.log"
    log.write_text(text)
    incident, _ = postmortem.analyze(str(log), replay=False)
    return list(incident.root_causes)


def test_what_nobody_caught_ended_the_run_although_its_last_lines_stand_below(tmp_path: Path) -> None:
    assert causes(tmp_path, epochs(1, 4) + TRACEBACK + epochs(5, 14)) == ["python/key-missing"]


def test_a_bar_may_stand_on_the_line_of_the_traceback(tmp_path: Path) -> None:
    glued = epochs(1, 4) + "Epoch 5: loss 2.95 " + TRACEBACK + epochs(6, 14)
    assert causes(tmp_path, glued) == ["python/key-missing"]


@pytest.mark.parametrize(
    "text",
    [
        # a function caught it, and the training went on
        epochs(1, 4) + TRACEBACK.replace("<module>", "evaluate") + epochs(5, 14),
        # more than a buffer holds
        epochs(1, 4) + TRACEBACK + epochs(5, 400, more=40 * "-" + " "),
        # the counter begins anew: another run
        epochs(1, 4) + TRACEBACK + epochs(1, 14),
        # a logger's lines wait in no buffer
        epochs(1, 4) + TRACEBACK + epochs(5, 14, more="2026-01-02 03:04:05 "),
        # it says that it was complete
        epochs(1, 4) + TRACEBACK + epochs(5, 14) + "Training completed!\n",
    ],
)
def test_where_the_training_may_have_gone_on(tmp_path: Path, text: str) -> None:
    assert causes(tmp_path, text) == []


def test_a_script_that_says_that_its_training_failed_caught_it_for_that(tmp_path: Path) -> None:
    said = "Error during training: 'image'\n" + TRACEBACK.replace("<module>", "main")
    assert causes(tmp_path, said + epochs(1, 14)) == ["python/key-missing"]
