"""Lists of hosts, written out, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.archive.hostlist import MOST, hosts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("node01", ["node01"]),
        ("gpu[01-03,7],login1", ["gpu01", "gpu02", "gpu03", "gpu7", "login1"]),
        ("r[1-2]n[08-09]", ["r1n08", "r1n09", "r2n08", "r2n09"]),
        ("a,b", ["a", "b"]),
        ("node[3-1]", ["node[3-1]"]),
        ("node[0-999999999]", ["node[0-999999999]"]),
        ("n[0-9999][0-9999]", ["n[0-9999][0-9999]"]),
        ("node[a-b]", ["node[a-b]"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert hosts(text) == names


@given(st.text(alphabet="ab[],-0123456789", max_size=40))
def test_no_text_makes_more_names_than_a_cluster_has(text: str) -> None:
    assert len(hosts(text)) <= MOST
