"""Running an experiment in a test, and reading its verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.replay import experiments, judge
from postmortem.replay.protocol import Answer, Fix, Lab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.protocol import Fact, Value

#: As many scenarios as make the verdicts of these tests certain, and no more.
LAB = Lab(draws=512)


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
