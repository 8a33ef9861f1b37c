"""Running an experiment in a test, and reading its verdicts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from postmortem.replay import device, experiments, judge
from postmortem.replay.protocol import Answer, Fix, Lab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.protocol import Fact, Value

#: Where the tests replay; `make gpu` says cuda.
DEVICE = device.chosen(os.environ.get("POSTMORTEM_DEVICE", "cpu"))


def lab_of(draws: int = 1024, seed: int = 0) -> Lab:
    """So many scenarios of a seed, where the tests replay."""
    return Lab(device=DEVICE, seed=seed, draws=draws)


#: As many scenarios as make the verdicts of these tests certain, and no more.
LAB = lab_of(512)


def run(name: str, facts: Mapping[str, Fact], **knobs: Value) -> Answer:
    """The answer of experiment `name` to one fix of each knob."""
    fixes = [Fix(knob=knob, new=new) for knob, new in knobs.items()]
    return experiments.load(name).run("rule", facts, fixes, LAB)


def each(answer: Answer, claim: str, knob: str | None = None) -> dict[tuple[str, str | None], str]:
    """Verdict by mechanism and family on the claim of that id, of one knob or of the only one."""
    text = {one.id: one.text for one in experiments.load(answer.replays[0].experiment).claims}[claim]
    return {
        (replay.mechanism, replay.family): replay.verdict
        for replay in answer.replays
        if replay.claim == text and knob in {None, replay.fix.knob}
    }


def pooled(answer: Answer, claim: str) -> dict[str, str]:
    """Verdict by knob on the claim of that id, where the mechanisms agree."""
    text = {one.id: one.text for one in experiments.load(answer.replays[0].experiment).claims}[claim]
    return {verdict.fix.knob: verdict.verdict for verdict in judge.pool(answer.replays) if verdict.claim == text}
