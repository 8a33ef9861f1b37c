"""Numbers among the lines of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.reading import read

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.run import Run


def run_of(folder: Path, text: str) -> Run:
    path = folder / "x.log"
    path.write_text(text + "\nepoch 1: loss=2.5\n", encoding="utf-8")
    return read(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "batch_size: 32\nmixup: 0.125\nlr: 0.5\nseed: 7\n",
        # a tree, with a heading between
        "trainer\n   max_epochs: 10\n   gradient_clip_val: 0.5\nmodel\n   lr: 0.001\n   mixup: 0.125\n",
    ],
)
def test_a_number_among_settings_is_set(tmp_path: Path, text: str) -> None:
    run = run_of(tmp_path, text)

    assert run.metrics["name"].to_list() == ["loss"]
    assert run.settings.filter(source_name="mixup").select("key", "value", "number").rows() == [
        ("mixup", "0.125", 0.125)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "batch_size: 32\nmixup: 0.125\nlr: 0.5\n",  # two settings that everybody knows may stand above results
        "batch_size: 32\nlr: 0.5\nseed: 7\n\n\n\nmixup: 0.125\n",  # apart from them
        "batch_size: 32\nmixup: 0.125\nlr: 0.5\nseed: 7\nmixup: 0.25\n",  # it changes
    ],
)
def test_where_it_may_be_measured(tmp_path: Path, text: str) -> None:
    assert "mixup" in run_of(tmp_path, text).metrics["name"]


def test_a_known_metric_stays_one(tmp_path: Path) -> None:
    assert "accuracy" in run_of(tmp_path, "batch_size: 32\naccuracy: 0.125\nlr: 0.5\nseed: 7\n").metrics["name"]
