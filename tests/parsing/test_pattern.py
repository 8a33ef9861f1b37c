"""Line patterns: fields, anchors, and indifference to mojibake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing.pattern import FieldValue, Pattern, skeleton


def first(template: str, text: str) -> dict[str, FieldValue] | None:
    return next((dict(match.values) for match in Pattern(template).find(text)), None)


def test_fields_have_their_types() -> None:
    found = first("Layer {scope:int}: {name:word} output: max={max:num}", "x Layer 29: XV output: max=139264 (~200k)")
    assert found == {"scope": 29, "name": "XV", "max": 139264.0}


@pytest.mark.parametrize("encoding", ["mac_roman", "cp1252", "cp1254", "latin-1"])
def test_mojibake_does_not_matter(encoding: str) -> None:
    text = "✓ Temperature²: 9.0".encode().decode(encoding, errors="replace")
    assert first("Temperature²: {t:num}", text) == {"t": 9.0}
    assert first("^Temperature²: {t:num}", text) == {"t": 9.0}


def test_a_percent_is_a_share_by_its_digits() -> None:
    assert first("({share:percent}", "496 (13.42% - perfect!)") == {"share": 0.1342}


def test_an_anchored_pattern_is_not_found_inside_a_line() -> None:
    assert first("^loss {x:num}", "the loss 2.0") is None
    assert first("loss {x:num}", "the loss 2.0") == {"x": 2.0}


def test_a_word_is_not_found_inside_another() -> None:
    assert first("loss {x:num}", "kdloss 2.0") is None


@pytest.mark.parametrize(("template", "reason"), [("{a:float}", "type 'float'"), ("{a:num} {a:num}", "stands twice")])
def test_a_wrong_pattern_says_why(template: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Pattern(template)


@given(st.text(alphabet="abc =:,.0123456789²✓\t", max_size=60))
def test_a_line_without_the_needle_never_matches(text: str) -> None:
    pattern = Pattern("abc = {x:num}")
    assert pattern.needle == "abc"
    assert "abc" in text or not list(pattern.find(text))


def test_the_skeleton_of_all_mojibakes_is_one() -> None:
    assert skeleton("T²") == skeleton("TÂ²") == skeleton("T¬≤") == "T?"


def test_digits_count_beside_a_bar_that_is_no_ascii() -> None:
    (numbered,) = Pattern("{step:int}/{:int}: 100% ━━━ {rate:num}it/s").numbered
    found = numbered.compiled.search("3/3: 099% ━━━━ 12.5it/s".encode())
    assert found is not None
    assert b"099%" in found[0]
