"""Several names of one metric in one line."""

from __future__ import annotations

import pytest

from tests.parsing.traps.reading import read, rows


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (  # the plainest name has it, wherever it stands
            "step 5: avg_loss=0.5, loss=0.75, total_loss=1.0",
            [("avg_loss", None, 0.5), ("loss", None, 0.75), ("total_loss", None, 1.0)],
        ),
        # with none that is plain, the first
        ("step 5: batch_loss=0.5, avg_loss=0.75", [("loss", None, 0.5), ("avg_loss", None, 0.75)]),
        # one in each split is no other
        ("step 5: train_loss=0.5, val_loss=0.75", [("loss", "train", 0.5), ("loss", "eval", 0.75)]),
        ("step 5: train_loss=0.5, train_avg_loss=0.75", [("loss", "train", 0.5), ("avg_loss", "train", 0.75)]),
        # one name twice is one metric of two values
        ("step 5: loss=0.5 loss=0.75", [("loss", None, 0.5), ("loss", None, 0.75)]),
        # before and after a factor
        ("step 5: KD Raw: 0.5, kd_loss: 4.5", [("kd_loss", None, 0.5), ("kd_loss", None, 4.5)]),
        (
            " 5%|#5   | 5/100 [00:10<03:10,  6.00it/s, loss=0.5, avg_loss=0.75]",
            [("loss", None, 0.5), ("avg_loss", None, 0.75)],
        ),
    ],
)
def test_two_values_of_a_line_are_two_metrics(line: str, values: list[tuple[str, str | None, float]]) -> None:
    assert rows(read(f"{line}\n").metrics, "name", "split", "value") == values


def test_what_a_dialect_makes_one_stays_one() -> None:
    line = "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 64, reducing to 32\n"
    assert rows(read(line).metrics, "name", "value") == [("loss_scale", 64.0), ("loss_scale", 32.0)]
