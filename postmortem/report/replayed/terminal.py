"""The lab's answer on a screen: each experiment's question, its verdicts, and the effect of each fix with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.lab.replayed import Replayed
    from postmortem.replay.protocol import Replay, Verdict
    from postmortem.report.registry import Target
    from postmortem.report.text_page import Page

SUFFIXES: Final = (".txt",)


def render(replayed: Replayed, target: Target) -> str:
    """What was asked, what came out and how sure that is; with `verbose` the priors too."""
    from postmortem.report.mask import scrub
    from postmortem.report.mechanisms import tried
    from postmortem.report.text_page import Page

    replayed, page = scrub(replayed), Page(target)
    page.heading(replayed.of, _where(replayed))
    by_rule = {record.rule: record.experiment for record in replayed.replays}
    for experiment, question in replayed.questions.items():
        page.heading(experiment, question)
        own = [verdict for verdict in replayed.verdicts if by_rule.get(verdict.rule) == experiment]
        mine = [record for record in replayed.replays if record.experiment == experiment]
        _verdicts(page, own, mine if target.verbose else [record for record in mine if record.seed == mine[0].seed])
        for mechanism in tried(mine):
            if mechanism.ruled_out:
                page.line(mechanism.reason, label="ruled out: ", style="dim")
        if target.verbose:
            for prior in replayed.priors.get(experiment, []):
                page.line(f"{prior.text} ({prior.because})", label=f"drawn: {prior.name}: ", style="dim")
        if limits := replayed.cannot_show.get(experiment):
            page.line(limits, label="cannot show: ", style="dim")
    # findings that share an experiment share its verdicts: what is said of a fix is said once
    said = {(v.fix.knob, v.fix.new, v.claim, v.because) for v in replayed.verdicts if v.rule in by_rule}
    others = [
        v
        for v in replayed.verdicts
        if v.rule not in by_rule and (v.fix.knob, v.fix.new, v.claim, v.because) not in said
    ]
    if others:
        page.heading("Without a replay of their own")
        for verdict in others:
            _verdict(page, verdict, f"{verdict.rule}: ")
    _listed(page, "The next run must show", [prediction.statement for prediction in replayed.predictions])
    _listed(page, "Do next", replayed.measure_next)
    _listed(page, "Brought nothing back", [f"{lost.what}: {lost.because}" for lost in replayed.lost])
    return page.text()


def _where(replayed: Replayed) -> str:
    from postmortem.report.numbers import figure

    seeds = replayed.seeds
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    if not replayed.replays:
        return f"replay: {replayed.environment.replay}"
    types = sorted({record.dtype for record in replayed.replays})
    return (
        f"replayed on {replayed.environment.device}, {' and '.join(types)}, {named}, "
        f"{figure(replayed.environment.seconds)} s"
    )


def _verdicts(page: Page, verdicts: Sequence[Verdict], replays: Sequence[Replay]) -> None:
    for claim in dict.fromkeys(verdict.claim for verdict in verdicts):
        page.line(f"{claim}?", style="italic")
        for verdict in verdicts:
            if verdict.claim == claim:
                _verdict(page, verdict)
                for record in replays:
                    same = (record.rule, record.fix, record.claim) == (verdict.rule, verdict.fix, claim)
                    if same and record.verdict != "not_reproduced":
                        _mechanism(page, record)


def _verdict(page: Page, verdict: Verdict, label: str = "") -> None:
    from postmortem.report.fix import turn

    word = f"{verdict.verdict.replace('_', ' '):<15}"
    page.line(verdict.because, indent=4, label=f"{label}{turn(verdict.fix):<20}  ", word=word)


def _mechanism(page: Page, record: Replay) -> None:
    from postmortem.report.numbers import figure, percent

    family = f", {record.family}" if record.family else ""
    kept = f"{figure(record.scenarios.kept)} of {figure(record.scenarios.drawn)} kept"
    kept += f" in {record.parts} parts, as the memory allowed" if record.parts > 1 else ""
    label = f"{record.mechanism.replace('_', ' ')}{family}: "
    if record.effect is None:
        text = "; ".join(part for part in (record.because, record.needs, f"{kept}, seed {record.seed}") if part)
        page.line(text, indent=8, style="dim")
        return
    effect = record.effect
    text = (
        f"in {percent(record.share)} ({percent(record.share_low)} to {percent(record.share_high)}); {effect.quantity} "
        f"{_spread(effect.before_low, effect.before_median, effect.before_high)} -> "
        f"{_spread(effect.low, effect.median, effect.high)}; {kept}, seed {record.seed}"
    )
    page.line(text, indent=8, label=label, style="dim")


def _spread(low: float, median: float, high: float) -> str:
    from postmortem.report.numbers import figure, interval

    return figure(median) if low == high else f"{figure(median)} ({interval(low, high)})"


def _listed(page: Page, title: str, entries: Sequence[str]) -> None:
    if entries:
        page.heading(title)
        for entry in entries:
            page.line(entry)
