"""Settings whose value is a word."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record
from postmortem.parsing.worded import worded

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model dtype: torch.float16", [("dtype", "torch.float16")]),
        ("Using dtype bfloat16 on 8 devices", [("dtype", "bfloat16")]),
        ("args: lr=0.1 optimizer=adam dtype=half", [("optimizer", "adam"), ("dtype", "half")]),
        ("optimizer is AdamW, reduction=sum", [("optimizer", "AdamW"), ("reduction", "sum")]),
        ("param dtype: float32", [("param dtype", "float32")]),
        # one of that name is measured as well
        ("    loss='binary_crossentropy',", [("loss", "binary_crossentropy")]),
        ("loss: CrossEntropyLoss()", [("loss", "CrossEntropyLoss")]),
        ("loss: mse 0.25, kl 0.5", []),
        ("criterion: nn.MSELoss", [("criterion", "nn.MSELoss")]),
        # the dtype of something else
        ("compute dtype: float16", []),
        ("unet dtype: bfloat16, device: cuda:0", []),
        # what was expected is not what was set
        ("RuntimeError: expected dtype half", []),
        # an argument in a line of code
        ("    x = torch.zeros(3, dtype=torch.float32)", []),
        # no word that the setting may be
        ("dtype: the one of the checkpoint", []),
        ("the optimizer state was loaded", []),
    ],
)
def test_a_word_is_taken_where_it_is_one_of_those_that_the_setting_has(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert sorted((one.key, one.text) for one in worded(text, NAMES, [])) == sorted(expected)


def test_digits_of_the_word_decide_what_it_is() -> None:
    looked_at: list[tuple[int, int]] = []
    (found,) = worded("dtype float16", NAMES, looked_at)
    assert looked_at == [found.at] == [(6, 13)]


def test_a_record_may_be_long_and_name_it_often() -> None:
    # what stands far before a key is not looked at again for each of them
    text = "a" * 9_000 + "1 " + "dtype float16 " * 700
    assert [one.text for one in worded(text, NAMES, [])] == ["float16"] * 700


def test_what_an_optimizer_is_made_with_is_stated_beside_its_name() -> None:
    stated = read_record("optimizer: Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08)", NAMES).settings
    assert [(one.key, one.text) for one in stated] == [("optimizer", "Adam"), ("lr", "0.001"), ("eps", "1e-08")]


def test_the_value_of_one_key_is_no_part_of_the_next() -> None:
    stated = {one.key: one.text for one in read_record("optimizer=sgd lr=3.0 batch_size=32", NAMES).settings}
    assert stated == {"optimizer": "sgd", "lr": "3.0", "batch_size": "32"}


def test_a_split_that_is_a_value_is_that_of_what_follows() -> None:
    (pair,) = read_record("epoch=3 split=val loss=2.0", NAMES).metrics
    assert NAMES.metric(pair.key)[:2] == ("loss", "eval")


def test_a_time_under_a_setting_s_name_is_measured() -> None:
    read = read_record("time (ms) | forward-compute: 306.62 | optimizer: 812.52", NAMES)
    assert ([pair.key for pair in read.metrics], read.settings) == (["forward-compute", "optimizer"], [])


def test_a_line_of_dots_is_no_dotted_assignment_until_something_stands_behind_them() -> None:
    # how many dots there are is not tried one by one
    assert not read_record("loss " + "." * 15_000 + "dtype half", NAMES).metrics
    (rate,) = read_record("learning_rate ......... 0.5", NAMES).settings
    assert (rate.key, rate.number) == ("learning_rate", 0.5)
