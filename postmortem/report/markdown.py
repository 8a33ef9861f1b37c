"""The report as markdown with figures beside it: the verdict first, then what to do, then why."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from postmortem.report import escape, jinja, phrases
from postmortem.report.chain import chain
from postmortem.report.jinja import Safe
from postmortem.report.mask import scrub
from postmortem.report.mechanisms import tried
from postmortem.report.numbers import figure, interval, kinds
from postmortem.report.paired import cells

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Environment
    from matplotlib.figure import Figure

    from postmortem.incident import Incident
    from postmortem.rules.finding import Finding

_EXCERPT: Final = 240  # characters of a line of the log
_ARROWS: Final = {"explains": Safe("-->"), "refutes": Safe("-.->")}


def render(incident: Incident, figures: Mapping[str, str] | None = None) -> str:
    """The report as markdown text; `figures` are links to pictures by title."""
    incident = scrub(incident)
    return fill(
        "incident.md.j2",
        incident=incident,
        most=phrases.FINDINGS,
        figures=figures or {},
        mechanisms=tried(incident.replays),
        **_graph(incident),
    )


def beside(drawn: Mapping[str, Figure], path: Path) -> dict[str, str]:
    """Write the figures of a report at `path` to `<stem>-figures/` beside it: links to them by title.

    OSError if one cannot be written.
    """
    from postmortem.report import figures

    folder = path.parent / f"{path.stem}-figures"
    pictures = figures.write(drawn, folder)
    return {title: f"{folder.name}/{picture.name}" for title, picture in pictures.items()}


def fill(template: str, **values: object) -> str:
    """The text that a markdown template of this package makes of these values."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = jinja.environment()
    environment.filters |= {
        "evidence": _evidence,
        "cells": cells,
        "distinct": phrases.distinct,
        "facts": phrases.facts,
        "figure": figure,
        "kinds": kinds,
        "link": lambda text: Safe(quote(text)),
        "mermaid": lambda text: Safe(escape.mermaid(text)),
        "name": lambda path: PurePath(path).name,
        "names": phrases.names,
        "share": phrases.share,
        "turn": phrases.turn,
    }
    environment.globals |= {"interval": interval, "spread": phrases.spread}
    return environment


def _graph(incident: Incident) -> dict[str, Any]:
    """Nodes (id, rule, role) and edges (id, arrow, id) of the chain, with how many had no room."""
    linked = chain(incident.findings)
    ids = {rule: Safe(f"n{place}") for place, rule in enumerate(linked.roles)}
    return {
        "nodes": [(ids[rule], rule, Safe(role)) for rule, role in linked.roles.items()],
        "edges": [(ids[link.cause], _ARROWS[link.kind], ids[link.effect]) for link in linked.links],
        "unlinked": linked.left_out,
    }


def _evidence(finding: Finding) -> Safe:
    """The lines of evidence, marked, among those around them; each line once, a gap as a line of dots."""
    lines: dict[tuple[str, int], tuple[str, str]] = {}
    for piece in finding.evidence:
        around = {piece.line - len(piece.before) + place: text for place, text in enumerate(piece.before)}
        around |= {piece.line + 1 + place: text for place, text in enumerate(piece.after)}
        for line, text in around.items():
            lines.setdefault((piece.file, line), (" ", text))
        lines[piece.file, piece.line] = (">", piece.text)
    width = max(len(figure(line)) for _, line in lines)
    shown, last = [], None
    for (file, line), (mark, text) in sorted(lines.items()):
        if last is not None and last != (file, line - 1):
            shown.append("...")
        shown.append(f"{PurePath(file).name}  {figure(line):>{width}} {mark} {text}")
        last = (file, line)
    return Safe(escape.fence(shown, _EXCERPT))
