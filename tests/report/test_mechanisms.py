"""Mechanisms are named once, with what rules them out or what they would need."""

from __future__ import annotations

from postmortem.report.mechanisms import tried
from tests.report import factory


def test_each_mechanism_stands_once_with_its_reason() -> None:
    first, *_ = (replay for replay in factory.normaliser()[0].replays if replay.verdict != "not_reproduced")
    kept = first.model_copy(update={"mechanism": "layer_norm", "family": "inside", "needs": "a gain of 21 each"})
    out = kept.model_copy(update={"mechanism": "softmax", "verdict": "not_reproduced", "because": "at most 0.5"})
    entries = tried([kept, out, kept])
    shown = f"{first.scenarios.kept:,} of {first.scenarios.drawn:,} scenarios show the log's numbers"
    assert [tuple(entry) for entry in entries] == [
        ("layer norm, inside", False, f"{shown}; a gain of 21 each", "a gain of 21 each"),
        ("softmax, inside", True, "at most 0.5; a gain of 21 each", "a gain of 21 each"),
    ]
