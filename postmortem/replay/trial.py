"""The pieces of work that can be sent elsewhere: an experiment with one seed, and fixes of a step of the user's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postmortem.errors import PostmortemError
from postmortem.replay.protocol import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postmortem.replay.own_step import Step
    from postmortem.replay.protocol import Fact, Fix, Lab


@dataclass(frozen=True, slots=True)
class Trial:
    """One experiment on one finding with one seed. It holds plain data alone, so that it can be pickled."""

    experiment: str
    rule: str
    facts: Mapping[str, Fact]
    fixes: tuple[Fix, ...]
    lab: Lab

    @property
    def title(self) -> str:
        """What it is, for a person."""
        return f"{self.experiment} with seed {self.lab.seed}"

    def __call__(self) -> Answer:
        """Replay here. An experiment that cannot use what a log says notes it in `failed` and goes on without.

        PostmortemError for a fix of the user's that it cannot use.
        """
        from postmortem.replay import device, experiments

        experiment = experiments.load(self.experiment)
        lab = replace(self.lab, device=device.chosen(self.lab.device))
        try:
            return experiment.run(self.rule, self.facts, self.fixes, lab)
        except PostmortemError as error:
            if any(fix.origin == "user" for fix in self.fixes):
                raise
            own = [fix for fix in self.fixes if fix.origin == "rule"]
            return replace(experiment.run(self.rule, self.facts, own, lab), failed=str(error))
        except (ArithmeticError, RuntimeError, ValueError) as error:
            # a log can print any number; torch refuses some, and a device its size
            reason = f"{self.experiment} cannot be replayed with these numbers: {str(error).splitlines()[0]}"
            return Answer(replays=(), failed=reason)


@dataclass(frozen=True, slots=True)
class StepTrial:
    """Fixes of a step of the user's own, one knob turned at a time."""

    step: Step
    fixes: tuple[Fix, ...]
    lab: Lab

    @property
    def title(self) -> str:
        """What it is, for a person."""
        turned = ", ".join(f"{fix.knob}={fix.new}" for fix in self.fixes)
        return f"{self.step.target} with {turned}"

    def __call__(self) -> Answer:
        """Call the step here. TargetError where it fails with its knobs as they are."""
        from postmortem.replay.own_step import OwnStep

        return OwnStep(self.step).run(self.step.target, {}, self.fixes, self.lab)
