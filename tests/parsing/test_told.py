"""Settings that change from step to step, which are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.run import Run


def run_of(folder: Path, text: str) -> Run:
    path = folder / "x.log"
    path.write_text(text, encoding="utf-8")
    return read(str(path))


def reports(*values: str) -> str:
    """A report below each hundredth batch."""
    return "".join(f"REPORT\n  Batch = {100 * i}\n  alpha = {value}\n\n" for i, value in enumerate(values, 1))


def test_what_changes_below_one_step_after_the_other_is_measured(tmp_path: Path) -> None:
    run = run_of(tmp_path, "beta = 0.5\n\n" + reports("0.75", "0.5", "0.25"))

    assert run.metrics.select("line", "step", "name", "value", "text", "meaning").rows() == [
        (5, 100, "alpha", 0.75, "0.75", "value"),
        (9, 200, "alpha", 0.5, "0.5", "value"),
        (13, 300, "alpha", 0.25, "0.25", "value"),
    ]
    assert run.settings.filter(source_name="beta").height == 1


def test_a_learning_rate_is_measured_though_it_stays(tmp_path: Path) -> None:
    text = "".join(f"step {i}\n  learning_rate = 0.5, delta = {i / 8}, seed = 7\n" for i in range(1, 4))
    run = run_of(tmp_path, text)

    assert run.metrics.select("step", "name", "value").rows() == [
        (1, "lr", 0.5),
        (1, "delta", 0.125),
        (2, "lr", 0.5),
        (2, "delta", 0.25),
        (3, "lr", 0.5),
        (3, "delta", 0.375),
    ]


def test_whole_numbers_that_change_each_time_are_measured(tmp_path: Path) -> None:
    run = run_of(tmp_path, reports("4100", "8300", "12700", "16500", "20100"))

    assert run.metrics.select("step", "name", "value").rows() == [
        (100, "alpha", 4100.0),
        (200, "alpha", 8300.0),
        (300, "alpha", 12700.0),
        (400, "alpha", 16500.0),
        (500, "alpha", 20100.0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        reports("0.5", "0.25"),  # twice, as a run that goes on prints its configuration
        reports("0.5", "0.5", "0.5"),
        reports("5", "6", "7"),  # counts and identifiers
        reports("5", "6", "7", "5", "6", "7"),
        reports("5", "6", "7", "8", "9").replace("alpha", "batch_size"),  # what everybody sets
        reports("a1", "b2", "c3"),
    ],
)
def test_what_is_stated_less_often_or_does_not_change_is_a_setting(tmp_path: Path, text: str) -> None:
    assert run_of(tmp_path, f"{text}step 1: loss=0.5\n").metrics["name"].to_list() == ["loss"]


def test_settings_alone_are_no_log(tmp_path: Path) -> None:
    with pytest.raises(PostmortemError, match="no log of a training run"):
        run_of(tmp_path, reports("0.5", "0.25"))
