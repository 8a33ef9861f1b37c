"""The whole way: a log to a run, its findings, the verdicts on fixes, and the incident that says it all."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import polars as pl

from postmortem import __version__, causes, fixes, promises, reading, timeline
from postmortem.config import Config
from postmortem.evidence import Lines
from postmortem.incident import Environment, Incident, Job, NotChecked, Setting
from postmortem.lab import laboratory
from postmortem.replay import device as devices
from postmortem.replay.protocol import Lab
from postmortem.rules import catalogue
from postmortem.rules.engine import Engine
from postmortem.rules.policy import policy
from postmortem.rules.sandbox import Limits
from postmortem.sources.stream import sha256
from postmortem.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from postmortem.replay.protocol import Answer
    from postmortem.rules.engine import Hit
    from postmortem.rules.finding import Finding
    from postmortem.run import Run

_LIBRARIES: Final = ("duckdb", "numpy", "polars", "torch")
NO_EXPERIMENT: Final = "no finding of this log has an experiment"


def analyze(
    path: str | Sequence[Path],
    *,
    extra_fixes: Sequence[str] = (),
    rule_folders: Sequence[Path] = (),
    formats: Sequence[Path] = (),
    configuration: Config | None = None,
    replay: bool = True,
    device: str | None = None,
    seed: int = 0,
    draws: int = 1024,
) -> tuple[Incident, Run]:
    """Judge one run: a log, a folder, or these files of it.

    `extra_fixes` are `eps=1e-5:1e-3`; `device` None takes cuda where there is one.

    `rule_folders` and `formats` (dialects, or folders of them) go beside what ships and what packages bring. Of the
    `configuration` count what it selects, ignores, sets and allows for rules.

    PostmortemError for a log that cannot be read or is none, and for options that cannot be used.
    """
    started = time.perf_counter()
    asked = [fixes.parse(option) for option in extra_fixes]
    rules, errors = catalogue.rules(rule_folders)
    configuration = configuration or Config()
    chosen = policy(rules, configuration, path)
    run = reading.read(path, formats=formats)
    lines = Lines(run)
    most = configuration.rule_limits
    engine = Engine(lines.joined(), Limits.of(most.seconds, most.memory))
    outcome = engine.run(chosen.rules)
    outcome.hits = lines.localised(outcome.hits)
    counting = [hit for hit in outcome.hits if not chosen.ignored(hit.rule.id)]
    plan = fixes.plan(counting, [*asked, *fixes.proposed(run.events)])
    verdicts = fixes.by_law(outcome.hits, plan)
    state, lab = _laboratory(wanted=replay, device=device, seed=seed, draws=draws)
    results = laboratory.run(outcome.hits, plan, laboratory.Bench(lab)) if lab else laboratory.Results()
    verdicts += results.verdicts
    verdicts += fixes.unjudged(plan, verdicts, results.failed, state)
    weighed, causal = causes.weigh(outcome.hits, verdicts, lines.evidence(causes.evidence_lines(outcome.hits)))
    findings, ignored, unused = chosen.sift(weighed)
    roots = [rule for rule in causal if not chosen.ignored(rule)]
    ran, replays = results.together, results.replays()
    replayed = [prediction for answer in ran for prediction in answer.predictions]
    answered = {prediction.rule for prediction in replayed}
    return Incident(
        tool_version=__version__,
        logs=[log.model_copy(update={"sha256": log.sha256 or sha256(log.path)}) for log in run.logs],
        left_out=list(run.left_out),
        jobs=_jobs(run),
        summary=summarise(
            findings, roots, verdicts, truncated=any(log.truncated for log in run.logs), ignored=len(ignored)
        ),
        root_causes=roots,
        timeline=timeline.moments(engine.signals, lines, findings, outcome.hits),
        findings=findings,
        verdicts=verdicts,
        replays=replays,
        priors={answer.replays[0].experiment: list(answer.priors) for answer in ran if answer.replays},
        cannot_show={answer.replays[0].experiment: answer.cannot_show for answer in ran if answer.replays},
        predictions=[*replayed, *promises.made(findings, outcome.hits, engine.signals["metrics"], answered)],
        measure_next=_measure_next(findings, outcome.hits, results.answers),
        settings=[
            Setting(key=key, value=value, origin=origin, line=line)
            for key, value, origin, line in run.settings.select("key", "value", "origin", "line").iter_rows()
        ],
        ignored=ignored,
        unused_ignores=unused,
        not_checked=[
            NotChecked(rule=rule, because=because) for rule, because in (*outcome.not_checked, *chosen.not_checked)
        ],
        rule_errors=[*errors, *outcome.errors],
        environment=Environment(
            versions=versions(),
            device=lab.device if lab and replays else None,
            seed=seed,
            replay="ran" if replays else state,
            seconds=round(time.perf_counter() - started, 3),
        ),
    ), run


def _laboratory(*, wanted: bool, device: str | None, seed: int, draws: int) -> tuple[str, Lab | None]:
    """Where replays run, or why they do not, with what to do."""
    if not wanted:
        return "not asked for (--no-replay)", None
    if not devices.has_torch():
        return devices.HOW_TO_GET_TORCH, None
    return NO_EXPERIMENT, Lab(device=devices.chosen(device), seed=seed, draws=draws)


def _measure_next(
    findings: Sequence[Finding], hits: Sequence[Hit], answers: Mapping[str, Sequence[Answer]]
) -> list[str]:
    """What to measure: the first step of each finding in their order, then the second ones. Each once.

    Where an experiment ran for a finding, it knows better than the rule. What a run came to is no reason to measure
    where it is known why.
    """
    by_id = {hit.rule.id: hit for hit in hits}
    wanted: list[Sequence[str]] = []
    for finding in findings:
        if finding.refuted_by or finding.note.startswith("explained"):
            continue
        hit, answered = by_id[finding.rule], answers.get(finding.rule)
        if finding.role == "context" and hit.rule.alone == "only":
            continue
        asked = [f"print {quantity}" for quantity in answered[0].measure_next] if answered else []
        wanted.append(asked or [hit.rule.filled(step, hit.rows[0]) for step in hit.rule.next])
    return list(dict.fromkeys(step for turn in zip_longest(*wanted) for step in turn if step is not None))


def _jobs(run: Run) -> list[Job]:
    """One entry per job id, each fact as last stated. A job that only a file name tells of has an id and no more."""
    jobs: dict[str, dict[str, object]] = {}
    frame = run.jobs
    for job in dict.fromkeys([*frame["job"].drop_nulls(), *_named_jobs(run)]):
        # what is said of the job itself goes before what is said of its steps
        rows = frame.filter(frame["job"] == job).sort(pl.col("step_id").is_null(), maintain_order=True)
        facts = {
            column: next(iter(rows[column].drop_nulls().reverse()), None)
            for column in ("state", "node", "exit_code", "signal", "start", "end", "limit")
        }
        jobs[job] = facts
    return [Job.model_validate({"job": job, **facts}) for job, facts in jobs.items()]


def _named_jobs(run: Run) -> list[str]:
    return [job for frame in run.frames().values() for job in frame["job"].drop_nulls().unique()[:1]]


def versions() -> dict[str, str]:
    """Of Python and of the libraries that figures rest on, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
