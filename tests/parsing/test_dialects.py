"""Each dialect file proves itself: its sample lines give exactly what is written beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from postmortem.parsing import dialect, dialects
from postmortem.parsing.check import check
from postmortem.parsing.names import FORMATS, load
from tests.parsing.reading import values

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
WORD = COLOUR.replace("a {colour:num}", "a {min:word}").replace("colour", "min")
KINDLESS = COLOUR.replace("tensors", "events")
BLOCK = """
name: x
title: x
source: x
blocks:
  - starts: "a block"
    frame: tensors
    sample: {text: a block, gives: {}}
    lines:
      - pattern: "b {1st:num}"
        sample: {text: b 1, gives: {1st: 1}}
"""


@pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.name) for spec in dialects.shipped().all])
def test_a_dialect_does_what_it_says(spec: dialect.Dialect) -> None:
    tried = check(spec)
    assert tried
    assert [(one.pattern, one.problems) for one in tried if one.problems] == []


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
        ("name: x\nlines: [\n", r":3: not YAML"),
        ("- x\n", r":1: a dialect is a mapping of fields, this is list"),
        ("name: x\ntitle: x\nsource: x\nline: []\n", r":4: line: no such field; did you mean lines\?"),
        (COLOUR, r":6: lines.0: 'a {colour:num}': frame tensors has no column colour"),
        (WORD, r":6: lines.0: 'a {min:word}': column min holds int or num or percent, no word"),
        (KINDLESS, r":6: lines.0: an event needs its kind"),
        (COLOUR.replace("num}", "float}"), r":6: lines.0.pattern: field 'colour' has type 'float'"),
        (BLOCK, r":10: blocks.0.lines.0.pattern: field '1st': a name begins with a letter"),
    ],
)
def test_a_broken_file_says_where_and_why(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(PostmortemError, match=f"^{path}{reason}"):
        dialect.load(path)


@pytest.mark.parametrize(("content", "reason"), [(b"\xff\xfe", "cannot be read"), (b"a: \x01\n", "cannot be read")])
def test_a_file_that_is_no_text_says_so(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(PostmortemError, match=f"^{path}: {reason}"):
        dialect.load(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("epoch = 3, loss = 0.5\n", (None, 3.0, "loss", None, 0.5)),  # no place of a block of Hugging Face's metrics
        ("Num timesteps: 5000, mean reward: 12.5\n", (5000, None, "reward", None, 12.5)),
    ],
)
def test_a_line_that_says_where_it_is_may_measure_as_well(
    text: str, found: tuple[int | None, float | None, str, str | None, float]
) -> None:
    assert values(text) == [found]
