"""The lab alone: the findings of a log or of a written incident, replayed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from postmortem import __version__, analysis, fixes, incident_file
from postmortem.errors import PostmortemError
from postmortem.incident import Environment
from postmortem.lab import laboratory
from postmortem.lab.replayed import Replayed
from postmortem.replay import experiments
from postmortem.replay.device import HOW_TO_GET_TORCH, has_torch
from postmortem.replay.protocol import Lost
from postmortem.rules import catalogue
from postmortem.rules.engine import Hit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postmortem.incident import Incident
    from postmortem.lab.laboratory import Bench, Results
    from postmortem.replay.protocol import Verdict
    from postmortem.rules.rule import Rule


def replay(
    source: str,
    bench: Bench,
    *,
    experiment: str | None = None,
    extra_fixes: Sequence[str] = (),
    rule_folders: Sequence[Path] = (),
    formats: Sequence[Path] = (),
) -> Replayed:
    """Replay what a log's, or an incident file's, findings ask for; the values of a finding are the facts.

    `experiment` leaves all others out. The fixes are those of the findings, of the log, and `extra_fixes`, as
    `eps=1e-5:1e-3`. PostmortemError for a source that cannot be read, and where nothing in it can be replayed.
    """
    started = time.perf_counter()
    if experiment is not None:
        experiments.check(experiment)
    asked = [fixes.parse(option) for option in extra_fixes]
    incident = _incident(source, rule_folders, formats)
    hits, lost = _hits(incident, catalogue.rules(rule_folders)[0])
    wanted = [hit for hit in hits if hit.rule.experiment and experiment in {None, hit.rule.experiment}]
    if not wanted:
        raise PostmortemError(f"{source}: {_nothing(hits, experiment)}")
    stated = [verdict.fix for verdict in incident.verdicts if verdict.fix.origin != "rule"]
    plan = fixes.plan(wanted, list(dict.fromkeys([*asked, *stated])))
    idle = [fix for fix in asked if fix in plan.idle]
    if has_torch():
        results = laboratory.run(wanted, plan, bench)
        state = "ran" if results.replays() else analysis.NO_EXPERIMENT
    else:
        results, state = laboratory.Results(), HOW_TO_GET_TORCH
    plan = fixes.Plan(plan.by_rule, idle)
    verdicts = [*results.verdicts, *fixes.unjudged(plan, results.verdicts, results.failed, state)]
    verdicts += fixes.by_law([], plan)
    return report(source, bench, results, verdicts=verdicts, lost=lost, state=state, started=started)


def report(
    source: str,
    bench: Bench,
    results: Results,
    *,
    verdicts: Sequence[Verdict],
    lost: Sequence[Lost] = (),
    state: str,
    started: float,
) -> Replayed:
    """The results as the lab reports them; `started` is when the work began, by `time.perf_counter`."""
    replays, together = results.replays(), [answer for answer in results.together if answer.replays]
    devices = sorted({record.device for record in replays})
    return Replayed(
        tool_version=__version__,
        of=source,
        seeds=[bench.lab.seed + place for place in range(bench.seeds)],
        questions={answer.replays[0].experiment: answer.question for answer in together},
        verdicts=list(verdicts),
        replays=replays,
        priors={answer.replays[0].experiment: list(answer.priors) for answer in together},
        cannot_show={answer.replays[0].experiment: answer.cannot_show for answer in together},
        predictions=[prediction for answer in together for prediction in answer.predictions],
        measure_next=list(dict.fromkeys(f"print {step}" for answer in together for step in answer.measure_next)),
        failed=list(dict.fromkeys(results.failed.values())),
        lost=[*lost, *results.lost],
        environment=Environment(
            versions=analysis.versions(),
            device=", ".join(devices) or None,
            seed=bench.lab.seed,
            replay=state,
            seconds=round(time.perf_counter() - started, 3),
        ),
    )


def _incident(source: str, rule_folders: Sequence[Path], formats: Sequence[Path]) -> Incident:
    if incident_file.is_one(source):
        return incident_file.read(source)
    return analysis.analyze(source, rule_folders=rule_folders, formats=formats, replay=False)[0]


def _hits(incident: Incident, rules: Sequence[Rule]) -> tuple[list[Hit], list[Lost]]:
    """The findings as the rules gave them, and those whose rule is not known here."""
    by_id = {rule.id: rule for rule in rules}
    hits, lost = [], []
    for finding in incident.findings:
        if finding.rule in by_id:
            hits.append(Hit(by_id[finding.rule], [dict(finding.values)], ()))
        else:
            lost.append(Lost(what=finding.rule, because="no rule of this name is here; --rules names its folder"))
    return hits, lost


def _nothing(hits: Sequence[Hit], experiment: str | None) -> str:
    there = ", ".join(sorted({hit.rule.experiment for hit in hits if hit.rule.experiment}))
    if not there:
        return f"{analysis.NO_EXPERIMENT}; `postmortem replay --list` shows those that there are"
    return f"no finding asks for the experiment {experiment}; findings of this log ask for {there}"
