"""A dialect to begin with passes the proof of dialects, whatever line it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing import dialect
from postmortem.parsing.check import check
from postmortem.parsing.pattern import Pattern
from postmortem.parsing.understanding import Unread
from postmortem.report.skeleton import skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.parsing.dialect import Dialect


def unread(*examples: str) -> list[Unread]:
    return [Unread(shape="-", records=3, line=7, example=example) for example in examples]


def loaded(folder: Path, text: str | None) -> Dialect:
    assert text is not None
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    spec = dialect.load(path)
    assert [tried.problems for tried in check(spec)] == [()]
    return spec


@pytest.mark.parametrize(
    ("line", "pattern", "frame", "gives"),
    [
        (
            "Zug um Zug: Verlust gleich 2.5 Punkte",
            "^Zug um Zug: Verlust gleich {gleich:num} Punkte",
            "metrics",
            {"gleich": 2.5},
        ),
        (
            "worker fell asleep after 12 rounds, 1e-05 left",
            "^worker fell asleep after {after:int} rounds, {rounds:num} left",
            "metrics",
            {"after": 12, "rounds": "1e-05"},
        ),
        (
            "[main.py:643] spilled 3 of layer12.weight",
            "^[main.py:{:any}] spilled {spilled:int} of {:any}.weight",
            "metrics",
            {"spilled": 3},
        ),
        ("All hands on deck", "^All hands on deck", "events", {}),
        ("mood: mellow(2) mellow(3)", "^mood: mellow({mellow:int}) mellow({mellow_2:int})", "metrics", None),
        ("deciding on step 3 of rank 4", "^deciding on step {value:int} of rank {value_2:int}", "metrics", None),
        ("there are no 3 ways about it", "^there are no {value:int} ways about it", "metrics", {"value": 3}),
        ("a template {loss:num} stands here", "^a template {:any} stands here", "events", {}),
        ('^ there is "a\\b" mark', '^^ there is "a\\b" mark', "events", {}),
    ],
)
def test_numbers_become_fields(
    tmp_path: Path, line: str, pattern: str, frame: str, gives: dict[str, object] | None
) -> None:
    spec = loaded(tmp_path, skeleton(unread(line), "a.log"))
    (made,) = spec.lines
    assert (made.pattern, made.frame, made.sample.text) == (pattern, frame, line)
    assert gives is None or made.sample.gives == gives


def test_the_pattern_reads_the_lines_of_its_kind() -> None:
    made = skeleton(unread("Zug um Zug: Verlust gleich 2.5 Punkte"), "a.log")
    assert made is not None
    pattern = made.partition('pattern: "')[2].partition('"\n')[0]
    (match,) = Pattern(pattern).find("  Zug um  Zug: Verlust gleich -inf Punkte")
    assert match.values == {"gleich": float("-inf")}


def test_lines_that_cannot_be_told_from_others_are_passed_over(tmp_path: Path) -> None:
    spec = loaded(tmp_path, skeleton(unread("1 2 3", "******", "fi", "The mood is good"), "a.log"))
    assert spec.lines[0].pattern == "^The mood is good"
    assert skeleton(unread("1 2 3", "***"), "a.log") is None
    assert skeleton([], "a.log") is None


def test_a_secret_is_in_neither_pattern_nor_sample(tmp_path: Path) -> None:
    made = skeleton(unread("Logged in with password: hunter2x, how nice"), "a.log")
    spec = loaded(tmp_path, made)
    assert "hunter2x" not in (made or "")
    (match,) = Pattern(spec.lines[0].pattern).find("Logged in with password: other, how nice")
    assert match.start == 0


def test_a_long_line_gives_a_short_pattern(tmp_path: Path) -> None:
    spec = loaded(tmp_path, skeleton(unread("mellow " * 200), "a.log"))
    assert len(spec.lines[0].pattern) < 200


WORDS = st.sampled_from(
    [
        *("mood", "Verlust", "2.5", "-inf", "12,345", "'7'", "np.float64(0.4)", "x12y", "{a:b}", "{a:num}", "{", "\\"),
        *('"', "#", ":", "- ", "café", "‚úÖ", "\u202e", "\x07", "10%", "3/4", "token=abcdefghijklmnop1", "step", "5"),
        *("^", "(7)"),
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_whatever_is_made_holds(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    line = line.encode("utf-8", "replace").decode().strip()
    made = skeleton(unread(line), "a.log\n\x1b[31m")
    if made is not None:
        assert made.replace("\n", "").isprintable()
        loaded(tmp_path_factory.getbasetemp(), made)
