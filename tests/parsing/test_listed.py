"""Names and values as two lists."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Epoch 3 loss/acc: 0.5/0.75", [("loss", 0.5), ("acc", 0.75)]),
        ("Epoch 3 train loss/acc: 0.5/0.75", [("train loss", 0.5), ("train acc", 0.75)]),
        ("Epoch 3 Train/Val loss: 0.5/0.25", [("Train loss", 0.5), ("Val loss", 0.25)]),
        ("Epoch 3 loss (train/val): 0.5/0.25", [("train loss", 0.5), ("val loss", 0.25)]),
        ("Epoch 3 D/G loss 0.5/0.25", [("D loss", 0.5), ("G loss", 0.25)]),
        ("Updates 3: min/max reward 0.5/0.75", [("min reward", 0.5), ("max reward", 0.75)]),
        ("Epoch 3 [Avg. Loss, Loss]: [7.5, 7.25]", [("Avg. Loss", 7.5), ("Loss", 7.25)]),
        ("Epoch 3 (loss, acc) = (0.5, nan)", [("loss", 0.5), ("acc", float("nan"))]),
        ("val, round, loss, acc ===> 003, 0.5, 0.75,", [("val loss", 0.5), ("val acc", 0.75)]),
        ("Epoch 3: loss, acc -> 0.5, 0.75", [("loss", 0.5), ("acc", 0.75)]),
        ("Epoch 3 top1 / top5 = 45.5% / 70.25%", [("top1", 45.5), ("top5", 70.25)]),
    ],
)
def test_each_value_has_the_name_in_its_place(text: str, values: list[tuple[str, float]]) -> None:
    found = [(pair.key, pair.value) for pair in read_record(text, NAMES).metrics]
    assert [name for name, _ in found] == [name for name, _ in values]
    assert [value for _, value in found] == pytest.approx([value for _, value in values], nan_ok=True)


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 3 [loss, acc, f1]: [0.5, 0.75]",  # a value is missing
        "Epoch 3 loss, acc, f1 => 0.5, 0.75",
        "saved to out/run 0.5/0.75",
        "Epoch 3 seen/all: 5/100",
    ],
)
def test_what_is_no_such_list(text: str) -> None:
    known = {pair.key for pair in read_record(text, NAMES).metrics}
    assert not known & {"loss", "acc", "f1", "out", "run", "seen", "all"}


def test_the_digits_of_such_a_name_are_looked_at() -> None:
    text = "Epoch 3 top1/top5: 45.5/70.25"
    spans = read_record(text, NAMES).looked_at
    assert any(start <= text.index("1/") < end for start, end in spans)
