"""What the check of a dialect catches, and what it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from postmortem.parsing.check import check
from postmortem.parsing.dialect import Dialect


def problems(*lines: tuple[str, str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """The problems of each line of a dialect: pattern, sample's text, what it gives."""
    spec = Dialect.model_validate(
        {
            "name": "x",
            "title": "x",
            "source": "x",
            "lines": [
                {"pattern": pattern, "frame": "metrics", "sample": {"text": text, "gives": gives}}
                for pattern, text, gives in lines
            ],
        }
    )
    return [one.problems for one in check(spec)]


@pytest.mark.parametrize(
    ("pattern", "text", "gives"),
    [
        ("loss {loss:num}", "loss 3.5", {"loss": 3.5}),
        ("loss {loss:num}", "loss nan", {"loss": float("nan")}),
        ("loss {loss:num}", "loss 1e-05", {"loss": "1e-05"}),  # so YAML 1.1 reads it
        ("code {code:word}", "code 1", {"code": "1"}),
        ("done {ok:bool}", "done yes", {"ok": True}),
        ("^{kind:exception}: {why:text}", "ValueError: no", {"kind": "ValueError", "why": "no"}),
        ("[{a:int}/{b:int}]", "[1/2]", {"a": 1, "b": 2}),
    ],
)
def test_what_is_right_has_no_problem(pattern: str, text: str, gives: dict[str, Any]) -> None:
    assert problems((pattern, text, gives)) == [()]


@pytest.mark.parametrize(
    ("pattern", "text", "gives", "problem"),
    [
        ("loss {loss:num}", "loss 3.5", {"loss": 3.25}, "loss: expected 3.25, read 3.5"),
        ("loss {loss:num}", "loss 3", {"loss": 3}, "loss: expected 3, read 3.0"),
        ("loss {loss:num}", "loss 3", {"loss": "three"}, "loss: expected 'three', read 3.0"),
        ("code {code:word}", "code 1", {"code": 1}, "code: expected 1, read '1'"),
        ("count {n:int}", "count 1", {"n": True}, "n: expected True, read 1"),
        ("loss {loss:num}", "loss 3", {}, "loss: expected nothing, read 3.0"),
        ("loss {:num}", "loss 3", {"loss": 3.0}, "loss: expected 3.0, read nothing"),
        ("loss {loss:num}", "lost 3", {"loss": 3.0}, "does not match its sample"),
    ],
)
def test_a_sample_that_gives_something_else_is_told(
    pattern: str, text: str, gives: dict[str, Any], problem: str
) -> None:
    assert problems((pattern, text, gives)) == [(problem,)]


def test_two_patterns_that_differ_in_names_alone_are_the_same() -> None:
    first, second = problems(("at {a:num} ms", "at 1 ms", {"a": 1.0}), ("at {b:num} ms", "at 1 ms", {"b": 1.0}))
    assert "stands twice" in first[0]
    assert "stands twice" in second[0]
    assert problems(("at {a:num} ms", "at 1 ms", {"a": 1.0}), ("at {a:int} ms", "at 1 ms", {"a": 1})) == [(), ()]


@pytest.mark.parametrize(
    ("pattern", "text", "gives", "problem"),
    [
        ("{a:any}", "x", {"a": ""}, "matches an empty line"),
        ("^", "x", {}, "matches an empty line"),
        ("{a:text}", "x", {"a": "x"}, "matches nearly any line"),
        ("{a:num}", "1", {"a": 1.0}, "matches nearly any line"),
        ("{a:int}/{b:int}", "1/2", {"a": 1, "b": 2}, "matches nearly any line"),
        ("✓✓✓ {a:word}", "✓ x", {"a": "x"}, "matches nearly any line"),
    ],
)
def test_a_pattern_that_claims_too_much_is_told(pattern: str, text: str, gives: dict[str, Any], problem: str) -> None:
    assert [[one.partition(";")[0] for one in found] for found in problems((pattern, text, gives))] == [[problem]]


def test_a_part_of_a_block_may_be_as_open_as_it_likes() -> None:
    part = {"pattern": "^{name:name}", "sample": {"text": "  layer.weight", "gives": {"name": "layer.weight"}}}
    block = {
        "starts": "Top exploding parameter:",
        "frame": "tensors",
        "lines": [part],
        "sample": {"text": "Top exploding parameter:", "gives": {}},
    }
    spec = Dialect.model_validate({"name": "x", "title": "x", "source": "x", "blocks": [block]})
    assert [one.problems for one in check(spec)] == [(), ()]
    twice = Dialect.model_validate(
        {"name": "x", "title": "x", "source": "x", "blocks": [block | {"lines": [part] * 2}]}
    )
    assert [bool(one.problems) for one in check(twice)] == [False, True, True]
    assert [one.place for one in check(twice)][2] == ("blocks", 0, "lines", 1, "pattern")
