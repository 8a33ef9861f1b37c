"""The report as markdown with figures beside it: the verdict first, then what to do, then why."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from postmortem.report import escape, jinja
from postmortem.report.jinja import Safe
from postmortem.report.mask import scrub
from postmortem.report.mechanisms import tried
from postmortem.report.numbers import figure, interval, kinds, percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Template

    from postmortem.incident import Incident, Job
    from postmortem.replay.protocol import Fix, Replay
    from postmortem.rules.finding import Finding
    from postmortem.run import Run

_EXCERPT: Final = 240  # characters of a line of the log


def render(incident: Incident, figures: Mapping[str, str] | None = None) -> str:
    """The report as markdown text; `figures` are links to pictures by title."""
    incident = scrub(incident)
    nodes, edges = _graph(incident)
    return _template().render(
        incident=incident, nodes=nodes, edges=edges, figures=figures or {}, mechanisms=tried(incident.replays)
    )


def draw(incident: Incident, run: Run, path: Path) -> dict[str, str]:
    """Write the figures of a report at `path` to `<stem>-figures/` beside it: links to them by title.

    OSError if one cannot be written.
    """
    from postmortem.report import figures

    folder = path.parent / f"{path.stem}-figures"
    pictures = figures.write(incident, run, folder)
    return {title: f"{folder.name}/{picture.name}" for title, picture in pictures.items()}


@cache
def _template() -> Template:
    environment = jinja.environment()
    environment.filters |= {
        "evidence": _evidence,
        "facts": _facts,
        "figure": figure,
        "kinds": kinds,
        "link": lambda text: Safe(quote(text)),
        "mermaid": lambda text: Safe(escape.mermaid(text)),
        "name": lambda path: PurePath(path).name,
        "share": _share,
        "turn": _turn,
    }
    environment.globals |= {"interval": interval, "spread": _spread}
    return environment.get_template("incident.md.j2")


def _graph(incident: Incident) -> tuple[list[tuple[Safe, str, Safe]], list[tuple[Safe, Safe, Safe]]]:
    """Nodes (id, rule, role) and edges (id, arrow, id) of the chain: only rules that were found."""
    roles = {finding.rule: finding.role for finding in incident.findings}
    links = [
        (cause, arrow, finding.rule)
        for finding in incident.findings
        for arrow, causes in (("-->", finding.explained_by), ("-.->", finding.refuted_by))
        for cause in causes
        if cause in roles
    ]
    linked = {rule for cause, _, effect in links for rule in (cause, effect)}
    ids = {rule: Safe(f"n{place}") for place, rule in enumerate(roles) if rule in linked}
    nodes = [(name, rule, Safe(roles[rule])) for rule, name in ids.items()]
    return nodes, [(ids[cause], Safe(arrow), ids[effect]) for cause, arrow, effect in links]


def _evidence(finding: Finding) -> Safe:
    width = max(len(figure(piece.line)) for piece in finding.evidence)
    lines = [f"{PurePath(piece.file).name}  {figure(piece.line):>{width}}  {piece.text}" for piece in finding.evidence]
    return Safe(escape.fence(lines, _EXCERPT))


def _facts(job: Job) -> list[tuple[str, Any]]:
    facts = job.model_dump(exclude={"job"}, exclude_none=True)
    return [(name.replace("_", " "), value) for name, value in facts.items()]


def _share(replay: Replay) -> str:
    if replay.share is None:
        return "not reproduced" if replay.verdict == "not_reproduced" else "too few scenarios"
    if replay.share_low is None or replay.share_high is None:
        return percent(replay.share)
    return f"{percent(replay.share)} ({percent(replay.share_low)} to {percent(replay.share_high)})"


def _spread(low: float, median: float, high: float) -> str:
    return figure(median) if low == high else f"{figure(median)} ({interval(low, high)})"


def _turn(fix: Fix) -> str:
    start = "" if fix.old is None else f"{figure(fix.old)} "
    return f"{fix.knob} {start}-> {figure(fix.new)}"
