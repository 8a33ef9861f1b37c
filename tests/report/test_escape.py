"""Text from a log stays inert in a terminal, in markdown and in a graph."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from postmortem.report import escape

#: What an attacker would print: letters that mean something to a terminal, to markdown or to HTML.
HOSTILE = st.text(
    st.sampled_from("ab1.)( \t\n\r\x1b\x9b\u202e\u2028\x00[]<>/!&#;:*_`~|\\-+=\"'$@{}wxht\ud800"), max_size=40
)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b2J", r"\x9b2J"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("one\ntwo\r", r"one\ntwo\r"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("tab\there\u00a0wide", "tab here wide"),
        ("lone \udc80", r"lone \udc80"),
        ("Temperature²: 9.0 ✅", "Temperature²: 9.0 ✅"),
    ],
)
def test_what_is_hidden_is_shown(text: str, shown: str) -> None:
    assert escape.visible(text) == shown


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert escape.visible("x" * 10**6, 5) == "xxxx…"
    assert escape.visible("exact", 5) == "exact"
    assert len(escape.visible("\x1b" * 100, 7)) == 7


@given(HOSTILE)
@settings(max_examples=150, deadline=None)
def test_visible_text_is_printable_and_stays_as_it_is(text: str) -> None:
    shown = escape.visible(text)
    assert shown.isprintable()
    assert escape.visible(shown) == shown


@given(HOSTILE)
@settings(max_examples=400, deadline=None)
def test_a_markdown_parser_sees_words_only(text: str) -> None:
    tokens = PARSER.parse(escape.markdown(text))
    children = [child for token in tokens for child in token.children or []]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert {child.type for child in children} <= {"text"}
    assert "".join(child.content for child in children) == escape.visible(text).strip()


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_a_table_cell_stays_one_cell(text: str) -> None:
    for cell in (escape.markdown(text), escape.code(text)):
        tokens = PARSER.parse(f"| a | b |\n| --- | --- |\n| {cell} | end |\n")
        cells = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "td_open"]
        assert len(cells) == 2
        assert cells[1] == "end"
        assert not any("html" in token.type for token in tokens)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://evil.example", r"see http\://evil.example"),
        ("HTTPS://evil.example/x", r"HTTPS\://evil.example/x"),
        ("www.evil.example", r"www\.evil.example"),
        ("loss: 3.5, a: b", "loss: 3.5, a: b"),
    ],
)
def test_an_address_does_not_become_a_link(text: str, shown: str) -> None:
    assert escape.markdown(text) == shown


def test_a_fence_outlasts_the_backticks_in_it() -> None:
    fenced = escape.fence(["````", "</script> ``` \x1b[0m\n```"])
    assert fenced.splitlines() == ["`````text", "````", r"</script> ``` \x1b[0m\n```", "`````"]
    (token,) = PARSER.parse(fenced)
    assert token.type == "fence"


def test_a_mermaid_label_holds_no_quote_bracket_or_backtick() -> None:
    assert escape.mermaid('a"] --> b["`<b>') == "a#34;#93; --#62; b#91;#34;#96;#60;b#62;"
    assert escape.mermaid("nonfinite/first-bad_tensor") == "nonfinite/first-bad_tensor"
