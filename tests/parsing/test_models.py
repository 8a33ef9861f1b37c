"""Several models in one log: each has its own courses."""

from __future__ import annotations

import pytest

from tests.parsing.reading import metrics


def test_each_model_has_its_own_courses() -> None:
    text = "".join(
        f"Epoch {epoch}/9\nResNet50 - Val Loss: {a}, Val Acc: 0.5\nVGG11 - Val Loss: {b}, Val Acc: 0.5\n"
        for epoch, a, b in [(1, 2.5, 3.5), (2, 1.5, 2.5)]
    )
    assert metrics(text).filter(name="loss").select("epoch", "source_name", "split", "value").rows() == [
        (1.0, "ResNet50 Val Loss", "eval", 2.5),
        (1.0, "VGG11 Val Loss", "eval", 3.5),
        (2.0, "ResNet50 Val Loss", "eval", 1.5),
        (2.0, "VGG11 Val Loss", "eval", 2.5),
    ]


@pytest.mark.parametrize("before", ["INFO - ", "Trainer - ", "root - ", "Epoch 3 - ", ""])
def test_a_logger_is_no_model(before: str) -> None:
    assert metrics(f"{before}Train Loss: 0.5\n")["source_name"].to_list() == ["Train Loss"]
