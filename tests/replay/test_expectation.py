"""Each form of a claim on numbers whose answer is known, and everything else refused."""

from __future__ import annotations

from typing import Final

import pytest
import torch

from postmortem.errors import PostmortemError
from postmortem.replay.expectation import parse

INF: Final = float("inf")
NAN: Final = float("nan")


def holds(text: str, before: float, after: float) -> bool:
    told = parse(text, "--expect").holds(
        torch.tensor([before], dtype=torch.float64), torch.tensor([after], dtype=torch.float64)
    )
    return bool(told)


@pytest.mark.parametrize(
    ("text", "before", "after", "expected"),
    [
        ("loss < 10", 99.0, 9.9, True),
        ("loss < 10", 99.0, 10.0, False),
        ("loss <= 1e1", 99.0, 10.0, True),
        ("loss>=-2.5", 0.0, -2.5, True),
        ("grad/norm.total > 1_000", 0.0, 1001.0, True),
        ("loss isfinite", NAN, 1.0, True),
        ("loss isfinite", 1.0, INF, False),
        ("loss isnan", 1.0, NAN, True),
        ("loss isinf", 1.0, -INF, True),
        ("m decreases", 2.0, 1.9, True),
        ("m decreases", 2.0, 2.0, False),
        ("m increases", 2.0, 2.1, True),
        ("m decreases by 30%", 10.0, 7.0, True),
        ("m decreases by 30%", 10.0, 7.1, False),
        ("m decreases by 30%", -10.0, -13.0, True),
        ("m increases by 30%", 10.0, 13.0, True),
        ("m decreases by 2x", 10.0, 5.0, True),
        ("m decreases by 2 x", 10.0, 5.1, False),
        ("m decreases by 2x", INF, 5.0, True),
        ("m increases by 2.5x", 10.0, 25.0, True),
        ("m increases by 2.5x", 10.0, 24.0, False),
        ("m stays within 10%", 10.0, 9.0, True),
        ("m stays within 10%", 10.0, 11.1, False),
        ("m stays within 10%", 10.0, NAN, False),
        ("m < 10", 1.0, NAN, False),
        ("m decreases", 1.0, NAN, False),
    ],
)
def test_what_holds(text: str, before: float, after: float, expected: bool) -> None:  # noqa: FBT001
    assert holds(text, before, after) is expected


@pytest.mark.parametrize(
    "text",
    [
        "", "loss", "loss <", "< 10", "loss < ten", "loss < nan", "loss == 10", "loss = 10", "loss decreases by 2",
        "loss decreases by 0x", "loss decreases by -2x", "loss stays", "loss stays within 2x", "loss < 10 or True",
        "__import__('os').system('true') < 1", "loss < 10; loss > 1", "loss < 1e999", "9loss < 1", "a b < 1",
    ],
)  # fmt: skip
def test_what_is_no_claim_is_refused_with_the_forms_that_there_are(text: str) -> None:
    with pytest.raises(PostmortemError, match=r"^--expect .*NAME decreases by 2x"):
        parse(text, "--expect")


def test_which_claims_need_a_before() -> None:
    assert [parse(text, "").compares for text in ("m < 1", "m isnan", "m decreases", "m stays within 1%")] == [
        False,
        False,
        True,
        True,
    ]
