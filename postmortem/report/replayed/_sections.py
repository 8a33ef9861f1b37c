"""What the lab's answer is made of, in the order in which it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postmortem.report.mechanisms import tried
from postmortem.report.numbers import figure, interval, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postmortem.lab.replayed import Replayed
    from postmortem.replay.protocol import Replay, Verdict


class Section(NamedTuple):
    """One experiment: its question, the verdicts by claim, and what they rest on."""

    experiment: str
    question: str
    claims: dict[str, list[Verdict]]
    replays: list[Replay]
    ruled_out: list[str]  # mechanisms, each with the reason
    priors: list[tuple[str, str]]  # what was drawn, and how
    cannot_show: str

    def behind(self, verdict: Verdict) -> list[Replay]:
        """The replays that a verdict rests on."""
        asked = (verdict.rule, verdict.fix, verdict.claim)
        return [
            replay
            for replay in self.replays
            if (replay.rule, replay.fix, replay.claim) == asked and replay.verdict != "not_reproduced"
        ]


def sections(replayed: Replayed, *, verbose: bool) -> Iterator[Section]:
    """Each experiment that was asked; with `verbose` the replays of every seed, and what was drawn."""
    by_rule = {replay.rule: replay.experiment for replay in replayed.replays}
    for experiment, question in replayed.questions.items():
        claims: dict[str, list[Verdict]] = {}
        for verdict in replayed.verdicts:
            if by_rule.get(verdict.rule) == experiment:
                claims.setdefault(verdict.claim, []).append(verdict)
        replays = [replay for replay in replayed.replays if replay.experiment == experiment]
        yield Section(
            experiment=experiment,
            question=question,
            claims=claims,
            replays=[replay for replay in replays if verbose or replay.seed == replays[0].seed],
            ruled_out=[mechanism.reason for mechanism in tried(replays) if mechanism.ruled_out],
            priors=[(prior.name, f"{prior.text} ({prior.because})") for prior in replayed.priors.get(experiment, [])]
            if verbose
            else [],
            cannot_show=replayed.cannot_show.get(experiment, ""),
        )


def others(replayed: Replayed) -> list[Verdict]:
    """Verdicts without a replay of their own: findings that share an experiment share what it says of a fix."""
    by_rule = {replay.rule for replay in replayed.replays}
    said = {(v.fix.knob, v.fix.new, v.claim, v.because) for v in replayed.verdicts if v.rule in by_rule}
    return [
        v
        for v in replayed.verdicts
        if v.rule not in by_rule and (v.fix.knob, v.fix.new, v.claim, v.because) not in said
    ]


def where(replayed: Replayed) -> str:
    """On what it ran, in which types, with which seeds, and for how long."""
    seeds = replayed.seeds
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    if not replayed.replays:
        return f"replay: {replayed.environment.replay}"
    types = sorted({record.dtype for record in replayed.replays})
    return (
        f"replayed on {replayed.environment.device}, {' and '.join(types)}, {named}, "
        f"{figure(replayed.environment.seconds)} s"
    )


def mechanism(record: Replay) -> str:
    """The mechanism's name and the family of its scenarios."""
    return record.mechanism.replace("_", " ") + (f", {record.family}" if record.family else "")


def outcome(record: Replay) -> str:
    """In how many scenarios the claim holds, what moved, and how many scenarios show the log's numbers."""
    kept = f"{figure(record.scenarios.kept)} of {figure(record.scenarios.drawn)} kept"
    kept += f" in {record.parts} parts, as the memory allowed" if record.parts > 1 else ""
    kept += f", seed {record.seed}"
    effect = record.effect
    if effect is None:
        return "; ".join(part for part in (record.because, record.needs, kept) if part)
    return (
        f"in {percent(record.share)} ({percent(record.share_low)} to {percent(record.share_high)}); {effect.quantity} "
        f"{_spread(effect.before_low, effect.before_median, effect.before_high)} -> "
        f"{_spread(effect.low, effect.median, effect.high)}; {kept}"
    )


def _spread(low: float, median: float, high: float) -> str:
    return figure(median) if low == high else f"{figure(median)} ({interval(low, high)})"
