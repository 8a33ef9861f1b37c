"""The protocol of a replay: draw, reproduce, turn one knob, judge. `experiments/` holds one a file."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from postmortem.replay import judge, observing
from postmortem.replay.protocol import Answer, Effect, Replay, Scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.mechanism import Ceiling, Mechanism, Observed, S
    from postmortem.replay.protocol import Fact, Fix, Lab, Prediction, Prior


@dataclass(frozen=True, slots=True)
class Claim:
    """What a fix is said to do: `holds(before, after, facts, fix)` gives a boolean tensor (scenarios,)."""

    id: str
    text: str
    knobs: frozenset[str]
    quantity: str  # the observed quantity that it is about
    label: str  # that quantity in words, with its unit
    holds: Callable[[Observed, Observed, Mapping[str, Fact], Fix], Tensor]
    keeps: bool = False  # it says that something good stays, not that it comes about: it may hold before the fix

    @classmethod
    def that(cls, flag: str, *, id: str, text: str, knobs: frozenset[str], label: str, keeps: bool = False) -> Claim:  # noqa: A002 - the field
        """A claim that something is so: its quantity is above 0 where it is, else 0."""
        return cls(id, text, knobs, flag, label, lambda _before, after, _facts, _fix: after[flag] > 0, keeps)


class Experiment(ABC):
    """One question: which mechanism shows the symptom, and what would each fix have changed?"""

    name: ClassVar[str]
    question: str
    cannot_show: ClassVar[str]
    priors: tuple[Prior, ...]
    claims: tuple[Claim, ...]

    def knobs(self) -> frozenset[str]:
        """The knobs of which this experiment can judge a fix."""
        return frozenset().union(*(claim.knobs for claim in self.claims))

    def missing(self, facts: Mapping[str, Fact]) -> str:  # noqa: ARG002 - a default
        """What the log would have to give for a replay, and does not; empty where it gives enough."""
        return ""

    @abstractmethod
    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Mechanism[Any]]:
        """The mechanisms, one per family where there are families, that compete for this finding."""

    def asked(
        self,
        mechanism: Mechanism[Any],  # noqa: ARG002
        facts: Mapping[str, Fact],  # noqa: ARG002
        fixes: Sequence[Fix],
    ) -> Sequence[Fix]:
        """The fixes of which this mechanism is asked; a mechanism that is asked of none is not drawn."""
        return fixes

    def predict(
        self,
        facts: Mapping[str, Fact],  # noqa: ARG002
        replays: Sequence[Replay],  # noqa: ARG002
    ) -> Sequence[Prediction]:
        """What the next log must show, given the replays of this finding."""
        return ()

    def measure_next(
        self,
        facts: Mapping[str, Fact],  # noqa: ARG002
        replays: Sequence[Replay],  # noqa: ARG002
    ) -> Sequence[str]:
        """What to print next to tell the mechanisms apart that remain."""
        return ()

    def run(self, rule: str, facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab) -> Answer:
        """Replay every fix whose knob this experiment has, for the finding of `rule` with these `facts`."""
        missing = self.missing(facts)
        with _one_thread():
            replays = [
                replay
                for mechanism in self.mechanisms(facts)
                for asked in [self.asked(mechanism, facts, fixes)]
                for replay in (
                    self._undrawn(mechanism, rule, missing, asked, lab)
                    if missing
                    else self._replay(mechanism, rule, facts, asked, lab)
                )
            ]
        return self.answer(rule, facts, replays)

    def answer(self, rule: str, facts: Mapping[str, Fact], replays: Sequence[Replay]) -> Answer:
        """What these replays say together, of one seed or of several."""
        return Answer(
            replays=tuple(replays),
            predictions=tuple(
                prediction.model_copy(update={"rule": rule}) for prediction in self.predict(facts, replays)
            ),
            measure_next=tuple(self.measure_next(facts, replays)),
            priors=self.priors,
            cannot_show=self.cannot_show,
            question=self.question,
        )

    def _undrawn(
        self, mechanism: Mechanism[Any], rule: str, missing: str, fixes: Sequence[Fix], lab: Lab
    ) -> list[Replay]:
        return [
            Replay(
                experiment=self.name,
                mechanism=mechanism.name,
                family=mechanism.family,
                rule=rule,
                fix=fix,
                claim=claim.text,
                verdict="inconclusive",
                share=None,
                effect=None,
                scenarios=Scenarios(drawn=0, kept=0),
                device=lab.device,
                dtype=mechanism.dtype,
                seed=lab.seed,
                seconds=0.0,
                because=f"{_who(mechanism)}: {missing}",
            )
            for fix in fixes
            for claim in self.claims
            if fix.knob in claim.knobs
        ]

    def _replay(
        self, mechanism: Mechanism[S], rule: str, facts: Mapping[str, Fact], fixes: Sequence[Fix], lab: Lab
    ) -> list[Replay]:
        asked = [fix for fix in fixes if any(fix.knob in claim.knobs for claim in self.claims)]
        if not asked:
            return []
        started = time.perf_counter()
        seen = observing.observe(mechanism, facts, asked, lab)
        count = int(seen.kept.sum())
        enough = count >= judge.FEWEST_KEPT
        ceiling = None if enough else mechanism.ceiling(facts, seen.lab)
        replays = []
        for fix in asked:
            for claim in (claim for claim in self.claims if fix.knob in claim.knobs):
                common = {
                    "experiment": self.name,
                    "mechanism": mechanism.name,
                    "family": mechanism.family,
                    "rule": rule,
                    "fix": fix,
                    "claim": claim.text,
                    "scenarios": Scenarios(drawn=int(seen.kept.numel()), kept=count),
                    "parts": seen.parts,
                    "device": lab.device,
                    "dtype": mechanism.dtype,
                    "seed": lab.seed,
                    "needs": mechanism.needs(facts),
                    "seconds": round(time.perf_counter() - started, 3),
                }
                replays.append(
                    _judged(mechanism, claim, facts, fix, seen, common)
                    if enough
                    else _unreproduced(mechanism, ceiling, count, common)
                )
        return replays


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: sums come out the same on every machine, and threads that share cores do not spin."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _judged(
    mechanism: Mechanism[S],
    claim: Claim,
    facts: Mapping[str, Fact],
    fix: Fix,
    seen: observing.Seen,
    common: Mapping[str, object],
) -> Replay:
    kept, before, after = seen.kept, seen.before, seen.after[fix]
    holds = claim.holds(before, after, facts, fix)[kept]
    count = int(kept.sum())
    share = float(holds.double().mean())
    low, high = judge.clopper_pearson(int(holds.sum()), count)
    was, now = (_interval(quantities[claim.quantity][kept]) for quantities in (before, after))
    effect = Effect(
        quantity=claim.label,
        low=now[0],
        median=now[1],
        high=now[2],
        before_low=was[0],
        before_median=was[1],
        before_high=was[2],
    )
    because = f"{_who(mechanism)}: holds in {share:.0%} of {count}, {claim.label} {was[1]:,.4g} -> {now[1]:,.4g}"
    verdict = judge.word(share, count)
    if (
        verdict == "confirmed"
        and not claim.keeps
        and bool(claim.holds(before, before, facts, fix)[kept].double().mean() > share / 2)
    ):
        # what held without the fix credits no fix
        verdict, because = "inconclusive", f"{because}; it holds without the fix as well"
    return Replay.model_validate(
        {
            **common,
            "verdict": verdict,
            "share": share,
            "share_low": low,
            "share_high": high,
            "effect": effect,
            "because": because,
        }
    )


def _unreproduced(mechanism: Mechanism[S], ceiling: Ceiling | None, count: int, common: Mapping[str, object]) -> Replay:
    who = _who(mechanism)
    because = (
        f"{who}: {ceiling.because}"
        if ceiling
        else f"{who}: only {count} scenarios show the log's numbers, too few to judge"
    )
    return Replay.model_validate(
        {
            **common,
            "verdict": "not_reproduced" if ceiling else "inconclusive",
            "share": None,
            "effect": None,
            "because": because,
        }
    )


def _who(mechanism: Mechanism[S]) -> str:
    return mechanism.title if mechanism.family is None else f"{mechanism.title}, {mechanism.family}"


def _interval(values: Tensor) -> tuple[float, float, float]:
    """The 2.5 %, 50 % and 97.5 % quantiles, as values that occurred: an infinite one stays infinite."""
    ordered = values.double().sort().values
    last = ordered.numel() - 1
    low, median, high = (float(ordered[round(q * last)]) for q in (0.025, 0.5, 0.975))
    return low, median, high
