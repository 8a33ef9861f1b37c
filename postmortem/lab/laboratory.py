"""Findings to verdicts: which experiment replays which fixes for which finding, with how many seeds, and where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from postmortem import causes
from postmortem.replay import experiments, judge
from postmortem.replay.executors.local import Local
from postmortem.replay.protocol import Answer, Lab, Lost
from postmortem.replay.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.fixes import Plan
    from postmortem.replay.executors import Executor
    from postmortem.replay.protocol import Fact, Fix, Replay, Verdict
    from postmortem.rules.engine import Hit


@dataclass(frozen=True, slots=True)
class Bench:
    """How replays are done. `dtype` is the low precision type of mechanisms where a finding does not name one."""

    lab: Lab = field(default_factory=Lab)
    seeds: int = 1  # the lab's own, and so many after it
    dtype: str | None = None
    executor: Executor = field(default_factory=Local)


@dataclass(slots=True)
class Results:
    """What came back. A finding whose experiment another one asked for shares its verdicts and has no answers."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)  # rule -> an answer a seed
    verdicts: list[Verdict] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # rule -> why its fixes, or some, have no verdict
    lost: list[Lost] = field(default_factory=list)
    together: list[Answer] = field(default_factory=list)  # of each experiment what all its seeds say

    def replays(self) -> list[Replay]:
        """Those of all seeds."""
        return [replay for answers in self.answers.values() for answer in answers for replay in answer.replays]


def run(hits: Sequence[Hit], plan: Plan, bench: Bench) -> Results:
    """Each experiment once, by what the first finding that asks for it shows, with the fixes of all that do.

    PostmortemError for a fix of the user's that an experiment cannot use.
    """
    results = Results()
    served: dict[str, list[Verdict]] = {}  # experiment -> its verdicts
    waiting = [hit for hit in hits if hit.rule.experiment and plan.by_rule.get(hit.rule.id)]
    waiting.sort(key=lambda hit: hit.rule.role != "root_cause")
    while waiting:
        turn: dict[str, Hit] = {}
        for hit in waiting:
            turn.setdefault(str(hit.rule.experiment), hit)
        trials = {name: _trials(name, hit, _wanted(name, hit, waiting, plan), bench) for name, hit in turn.items()}
        outcomes = bench.executor.run([trial for group in trials.values() for trial in group])
        for name, group in trials.items():
            verdicts = _collect(group, [next(outcomes) for _ in group], results)
            if verdicts is not None:
                served[name] = verdicts
                results.verdicts += _shared(turn[name], plan.by_rule[turn[name].rule.id], verdicts)
        waiting = [hit for hit in waiting if turn[str(hit.rule.experiment)] is not hit]
        for hit in [hit for hit in waiting if hit.rule.experiment in served]:
            results.answers[hit.rule.id] = []
            results.verdicts += _shared(hit, plan.by_rule[hit.rule.id], served[str(hit.rule.experiment)])
            waiting.remove(hit)
    return results


def _wanted(experiment: str, first: Hit, waiting: Sequence[Hit], plan: Plan) -> list[Fix]:
    """The fixes of the first finding that asks for an experiment, then those of the others."""
    asking = [hit for hit in waiting if hit.rule.experiment == experiment and hit is not first]
    fixes = [fix for hit in (first, *asking) for fix in plan.by_rule[hit.rule.id]]
    return list({(fix.knob, fix.new): fix for fix in reversed(fixes)}.values())[::-1]


def _trials(experiment: str, hit: Hit, fixes: Sequence[Fix], bench: Bench) -> list[Trial]:
    facts: dict[str, Fact] = causes.values_of(hit)
    if bench.dtype is not None and facts.get("dtype") is None:
        facts["dtype"] = bench.dtype
    return [
        Trial(experiment, hit.rule.id, facts, tuple(fixes), replace(bench.lab, seed=bench.lab.seed + place))
        for place in range(bench.seeds)
    ]


def _collect(trials: Sequence[Trial], outcomes: Sequence[Answer | Lost], results: Results) -> list[Verdict] | None:
    """Note what the seeds of one experiment brought; its verdicts, or None where no seed brought anything."""
    rule, lost = trials[0].rule, [outcome for outcome in outcomes if isinstance(outcome, Lost)]
    results.lost += lost
    answers = {
        trial.lab.seed: outcome for trial, outcome in zip(trials, outcomes, strict=True) if isinstance(outcome, Answer)
    }
    reasons = [answer.failed for answer in answers.values() if answer.failed] or [one.because for one in lost]
    if reasons:
        results.failed[rule] = reasons[0]
    answers = {seed: answer for seed, answer in answers.items() if answer.replays or not answer.failed}
    if not answers:
        return None
    results.answers[rule] = list(answers.values())
    results.together.append(_together(trials[0], results.answers[rule]))
    missing = f"; {len(lost)} of {len(trials)} seeds did not come back" if lost else ""
    return [
        verdict.model_copy(update={"because": verdict.because + missing})
        for verdict in judge.across({seed: judge.pool(answer.replays) for seed, answer in answers.items()})
    ]


def _together(trial: Trial, answers: Sequence[Answer]) -> Answer:
    """What the answers of several seeds say: a prediction reaches as far as any of them."""
    if len(answers) == 1:
        return answers[0]
    replays = [replay for answer in answers for replay in answer.replays]
    return experiments.load(trial.experiment).answer(trial.rule, trial.facts, replays)


def _shared(hit: Hit, fixes: Sequence[Fix], verdicts: Sequence[Verdict]) -> list[Verdict]:
    wanted = {(fix.knob, fix.new) for fix in fixes}
    return [
        verdict.model_copy(update={"rule": hit.rule.id})
        for verdict in verdicts
        if (verdict.fix.knob, verdict.fix.new) in wanted
    ]
