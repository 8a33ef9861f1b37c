"""A step of the user's own as an experiment: given knobs and a seed it measures quantities, and a fix turns a knob.

A seed is a scenario. With the knobs at their first values the step shows what was; with one knob turned and the same
seed, what a fix makes of it. The judging is that of every experiment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanism import Mechanism, Observed
from postmortem.replay.protocol import Answer, Prediction, Prior, Verdict
from postmortem.replay.target import Target, TargetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.expectation import Expectation
    from postmortem.replay.protocol import Fact, Fix, Lab, Replay, Value
    from postmortem.replay.stream import Stream

NAME: Final = "own-step"


@dataclass(frozen=True, slots=True)
class Step:
    """What the user asks: the function, its knobs as they are, what the log shows, and what a fix is said to do."""

    target: str
    knobs: Mapping[str, Value]
    shows: tuple[Expectation, ...]  # the symptom: a seed that does not show it is no scenario
    expects: tuple[Expectation, ...]
    seconds: float
    memory_gb: float | None


class _Called(Mechanism[list[int]]):
    """The step itself, in a process of its own."""

    name = "step"
    title = "the step"
    dtype = "own dtype"

    def __init__(self, step: Step) -> None:
        self.step = step
        self.target = Target(step.target, step.seconds, step.memory_gb)
        self.as_it_is: Observed = {}

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> list[int]:  # noqa: ARG002
        """A seed for each scenario: the lab's and those after it."""
        return list(range(lab.seed, lab.seed + lab.draws))

    def observe(self, scenario: list[int], knobs: Mapping[str, Value]) -> Observed:
        """What the step measures, each quantity as (seeds,) float64; as it is, it is called but once a seed."""
        if not knobs and self.as_it_is:
            return self.as_it_is
        rows = [self.target.call({**self.step.knobs, **knobs}, seed) for seed in scenario]
        first, where = rows[0], f"{self.step.target} with {knobs or self.step.knobs}"
        if any(row.keys() != first.keys() for row in rows):
            raise TargetError(f"{where}: measures other quantities with another seed; return the same names each time")
        if missing := sorted({one.quantity for one in (*self.step.shows, *self.step.expects)} - first.keys()):
            raise TargetError(f"{where}: measures no {' and no '.join(missing)}; it measures {', '.join(first)}")
        observed = {name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in first}
        if not knobs:
            self.as_it_is = observed
        return observed

    def needs(self, facts: Mapping[str, Fact]) -> str:  # noqa: ARG002
        """That the seed is used: seeds that measure the same are one scenario."""
        count, distinct = len(next(iter(self.as_it_is.values()))), int(_firsts(self.as_it_is).sum())
        return "" if distinct == count else f"{count} seeds measure only {distinct} different things: use the seed"

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:  # noqa: ARG002
        """The seeds with which the step shows the symptom; of seeds that measure the same, the first alone."""
        shown = _firsts(observed)
        for symptom in self.step.shows:
            shown = shown & symptom.holds(observed[symptom.quantity], observed[symptom.quantity])
        return shown


class OwnStep(Experiment):
    """Made for one command; `experiments/` holds those that know a finding."""

    name = NAME
    cannot_show = (
        "Anything but what the step computes: its model, data and number of updates are the user's choice, and "
        "stand for the run as far as they are the run's."
    )

    def __init__(self, step: Step) -> None:
        self.step = step
        self.question = f"What does {step.target} measure with one knob turned?"
        self.claims = tuple(_claim(one, frozenset(step.knobs)) for one in step.expects)
        held = ", ".join(f"{knob}={value}" for knob, value in step.knobs.items())
        self.priors = (
            Prior(name="seed", text="consecutive ones", because="what the step draws with a seed is a scenario"),
            Prior(name="knobs", text=held, because="the first value of each --knob; one at a time is turned"),
        )

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[_Called]:  # noqa: ARG002 - there is one
        """The step."""
        return (_Called(self.step),)

    def run(self, rule: str, facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab) -> Answer:
        """Every fix; one with which the step fails is left unjudged. TargetError where it fails as it is."""
        (called,) = self.mechanisms(facts)
        replays: list[Replay] = []
        failures: dict[Fix, str] = {}
        with called.target:
            called.observe(called.drawn(facts, lab), {})
            for fix in fixes:
                try:
                    told = self._replay(called, rule, facts, [fix], lab)
                except TargetError as error:
                    failures[fix] = str(error)
                else:
                    replays += [replay.model_copy(update={"device": "own device"}) for replay in told]
        return Answer(
            replays=tuple(replays),
            predictions=tuple(_prediction(replay, rule) for replay in replays if replay.verdict == "confirmed"),
            priors=self.priors,
            cannot_show=self.cannot_show,
            question=self.question,
            failed="; ".join(failures.values()),
            unjudged=tuple(
                Verdict(rule=rule, fix=fix, claim=c.text, verdict="inconclusive", basis="replay", because=because)
                for fix, because in failures.items()
                for c in self.claims
            ),
        )


def _claim(expected: Expectation, knobs: frozenset[str]) -> Claim:
    return Claim(
        id=expected.text,
        text=expected.text,
        knobs=knobs,
        quantity=expected.quantity,
        label=expected.quantity,
        holds=lambda before, after, _facts, _fix: expected.holds(before[expected.quantity], after[expected.quantity]),
        keeps=expected.word == "stays",
    )


def _prediction(replay: Replay, rule: str) -> Prediction:
    """What a confirmed fix makes of the quantity in the step: it is the user who knows where the run prints it."""
    effect = replay.effect
    assert effect is not None  # noqa: S101 - a confirmed claim has one; for the type checker
    turned = f"{replay.fix.knob}={replay.fix.new}"
    return Prediction(
        id=f"{NAME}/{effect.quantity}@{turned}",
        metric=effect.quantity,
        where="what the step stands for",
        low=effect.low,
        high=effect.high,
        assumptions=["the run is as the step"],
        statement=f"With {turned}, {effect.quantity} is {effect.low:,.4g} to {effect.high:,.4g}",
        basis="replay",
        rule=rule,
        fix=replay.fix,
        was=effect.before_median,
    )


def _firsts(observed: Observed) -> Tensor:
    """Which scenarios are the first to measure what they measure: booleans (n,)."""
    seen: set[tuple[str, ...]] = set()
    firsts = []
    for row in zip(*(values.tolist() for values in observed.values()), strict=True):
        told = tuple(map(repr, row))
        firsts.append(told not in seen)
        seen.add(told)
    return torch.tensor(firsts)
