"""A template made out of a kindred one is the one that understanding the record gives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postmortem.parsing import dialects, names
from postmortem.parsing.interpret import Interpreter
from postmortem.parsing.kindred import Kindred
from postmortem.parsing.template import Template
from tests.parsing import lines

if TYPE_CHECKING:
    import random

INTERPRETER = Interpreter(dialects.shipped(), names.load())


def kindred(*records: bytes) -> Kindred:
    """With these records understood; each has the number of its place."""
    known = Kindred()
    for number, record in enumerate(records):
        known.add(record, INTERPRETER.template(record), number)
    return known


def values(template: Template, record: bytes) -> dict[str, object]:
    """By name what its metrics and its step are."""
    found: dict[str, object] = {
        str(dict(row.constants)["name"]): span.read(record)
        for row in template.rows
        if row.frame == "metrics"
        for _, span in row.spans
    }
    (step,) = (place.step for place in template.places if place.step)
    return found | {"step": step.read(record)}


def test_a_longer_number_moves_what_is_behind_it() -> None:
    found = kindred(b"step 5: loss=9.5, grad_norm=1.25 ok").find(b"step 17: loss=10.25, grad_norm=13.5 ok")
    assert isinstance(found, Template)
    assert values(found, b"step 17: loss=10.25, grad_norm=13.5 ok") == {"step": 17, "loss": 10.25, "grad_norm": 13.5}


def test_text_that_gives_nothing_keeps_its_template_with_another_address() -> None:
    known = kindred(b"    at frame #4: <forward> at 0x7f3a21c0de10")
    assert known.find(b"    at frame #4: <forward> at 0x7f81b0a4e2") == 0
    assert known.find(b"    at frame #14: <forward> at 0x7f81b0a4e2") is None  # its digits are those of no number


def test_a_hash_that_is_read_as_text_is_read_as_long_as_it_is() -> None:
    record = b"KeyError: 'state 8d40b7c'"
    found = kindred(b"KeyError: 'state 3fa94b01c2'").find(record)
    assert isinstance(found, Template)
    assert found == INTERPRETER.template(record)
    assert [dict(row.spans)["message"].text(record) for row in found.rows] == [record.decode()]


@pytest.mark.parametrize(
    ("known", "record"),
    [
        pytest.param(b"AR@1: 0.25", b"AR@10: 0.25", id="of a name"),
        pytest.param(b"mAP 0.5213 done", b"mAP 0.52 done", id="fewer than a bound allows"),
        pytest.param(
            b"Layer 1: attn output: min=-1,234, max=5", b"Layer 1: attn output: min=-1,23, max=5", id="grouped"
        ),
        pytest.param(b"0: 9.872", b"2: 9.93", id="cells of a table"),
        pytest.param(b"step 5: 3fa94b01_loss=2.5", b"step 5: 3fa94b0_loss=2.5", id="a name"),
        pytest.param(b"in enumerate(x): 3fa94b01c2", b"in enumerate(x): 14033282c", id="a number with a letter"),
        pytest.param(b"run 3fa94b01 loss 2.5", b"run a3f94b01 loss 2.5", id="begins with a letter"),
    ],
)
def test_what_else_could_decide_is_understood_by_itself(known: bytes, record: bytes) -> None:
    found = kindred(known).find(record)
    assert found is None


def test_the_digits_of_a_name_must_be_the_same() -> None:
    known = kindred(b"step 5: layers.12.grad=2.5")
    found = known.find(b"step 15: layers.12.grad=10.5")
    assert isinstance(found, Template)
    assert values(found, b"step 15: layers.12.grad=10.5") == {"step": 15, "layers_12_grad": 10.5}
    assert known.find(b"step 15: layers.13.grad=10.5") is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postmortem.parsing.kindred._MOST_BYTES", 40)
    known = kindred(b"step 5: loss=9.5", b"step 5: cost=9.5", b"step 5: error=9.5")
    assert isinstance(known.find(b"step 5: cost=10.5"), Template)
    assert known.find(b"step 5: error=10.5") is None


def other(text: str, chance: random.Random) -> str:
    """The same with numbers of other lengths, and with a hash or an address behind it for another one."""
    return re.sub(
        r"\b(?=\w*[0-9])(?=\w*[a-d])[0-9a-f]{6,}\b|[0-9]+",
        lambda found: (
            "".join(chance.choices("0123456789", k=max(1, len(found[0]) + chance.randint(-1, 2))))
            if found[0].isdigit()
            else "".join(chance.choices("0123456789abcdef", k=chance.randint(6, 20)))
        ),
        text,
    )


@settings(max_examples=300, deadline=None)
@given(lines.line, st.sampled_from(["", "", " 3fa94b01c2", " (0x7f3a21c0de)"]), st.randoms(use_true_random=False))
def test_what_is_found_is_what_is_understood(line: str, behind: str, chance: random.Random) -> None:
    first = line + behind
    known, record = first.encode(), other(first, chance).encode()
    found, template = kindred(known).find(record), INTERPRETER.template(record)
    if isinstance(found, int):
        found = INTERPRETER.template(known)
    assert found is None or found == template
