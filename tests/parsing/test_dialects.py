"""Each dialect file proves itself: its sample lines give exactly what is written beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.parsing import dialect, dialects
from postmortem.parsing.names import FORMATS, load
from postmortem.parsing.pattern import Pattern

if TYPE_CHECKING:
    from pathlib import Path

COLOUR = """
name: x
title: x
source: x
lines:
  - pattern: "a {colour:num}"
    frame: tensors
    sample: {text: a 1, gives: {colour: 1}}
"""
SAMPLES = [
    pytest.param(pattern, sample, id=f"{spec.name}: {pattern}")
    for spec in dialects.shipped().all
    for pattern, sample in (
        *((line.pattern, line.sample) for line in spec.lines),
        *((block.starts, block.sample) for block in spec.blocks),
        *((part.pattern, part.sample) for block in spec.blocks for part in block.lines),
    )
]


@pytest.mark.parametrize(("pattern", "sample"), SAMPLES)
def test_a_sample_gives_what_is_written(pattern: str, sample: dialect.Sample) -> None:
    found = next(Pattern(pattern).find(sample.text))
    assert {name: str(value) for name, value in found.values.items()} == {
        name: str(value) for name, value in sample.gives.items()
    }


def test_a_dialect_is_named_as_its_file() -> None:
    assert {spec.name for spec in dialects.shipped().all} == {
        path.stem for path in FORMATS.glob("*.yaml") if path.name != "names.yaml"
    }


def test_no_name_means_two_things() -> None:
    names = load()
    assert names.metric("Train/Loss") == ("loss", "train", True)
    assert names.metric("val_loss") == ("loss", "eval", True)
    assert names.metric("my own thing") == ("my_own_thing", None, False)
    assert names.setting("layer_norm_eps") == "eps"
    assert names.setting("adam_eps") == "optimizer_eps"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: x\nlines: [\n", r":2: |:3: "),
        ("name: x\ntitle: x\nsource: x\nextra: 1\n", "extra"),
        (COLOUR, "no column"),
    ],
)
def test_a_broken_file_says_where_and_why(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(PostmortemError, match=reason) as caught:
        dialect.load(path)
    assert str(path) in str(caught.value)
