"""The pages of `docs/experiments/`: one for each experiment, and their index. `make docs` writes them.

All text is the experiment's own, and that of the rules that name it; the figure is the one that a report has of the
example, the first log of such a rule's proof that gives a fix to judge.
"""

from __future__ import annotations

import inspect
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from postmortem import causes, fixes
from postmortem.analysis import analyze
from postmortem.errors import PostmortemError
from postmortem.replay import experiments
from postmortem.report import escape, figures, jinja
from postmortem.report.figures import style
from postmortem.report.jinja import Safe
from postmortem.rules.check import judged
from postmortem.rules.rule import SHIPPED, load_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from postmortem.replay.mechanism import Mechanism
    from postmortem.replay.protocol import Fact
    from postmortem.rules.rule import Rule

#: Of a longer example the page shows the first lines.
_ROOM: Final = 14


@dataclass(frozen=True, slots=True)
class Example:
    """A log that asks for the experiment, the rule whose proof it is, and what that rule finds in it."""

    rule: str
    log: str
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Kind:
    """A mechanism in all its families."""

    name: str
    title: str
    what: str
    families: list[str]


def write(folder: Path) -> None:
    """Write all pages and figures below a folder, and remove those of experiments that are no more."""
    pages = {f"{name}.md": of(name) for name in experiments.names()} | {"README.md": contents()}
    drawings = {f"{name}.png": figure(name) for name in experiments.names()}
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in (*folder.glob("*.md"), *folder.glob("*.png"))} - {*pages, *drawings}:
        (folder / stale).unlink()
    for page, text in pages.items():
        (folder / page).write_text(text, encoding="utf-8")
    for drawing, sheet in drawings.items():
        style.save(sheet, folder / drawing)


def of(name: str) -> str:
    """The page of an experiment, as it stands in `docs/experiments/`."""
    experiment, shown = experiments.load(name), example(name)
    environment = jinja.environment()
    environment.filters["rule"] = _linked_rule
    text = environment.get_template("experiment.md.j2").render(
        experiment=experiment,
        kinds=_kinds(experiment.mechanisms({})),
        example=shown,
        excerpt=_excerpt(shown.log),
        rules=_rules(name),
        measure=experiment.measure_next(shown.facts, ()),
    )
    return text.rstrip() + "\n"


def contents() -> str:
    """The index of all pages, as it stands in `docs/experiments/`."""
    found = [experiments.load(name) for name in experiments.names()]
    return jinja.environment().get_template("experiments.md.j2").render(experiments=found).rstrip() + "\n"


def figure(name: str) -> Figure:
    """What the fixes of the example do, as a report draws it: its first claim of which a mechanism was judged."""
    shown = example(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.log"
        path.write_text(shown.log, encoding="utf-8")
        incident, run = analyze(str(path), device="cpu")
    own = [replay for replay in incident.replays if replay.experiment == name]
    drawn = figures.draw(incident.model_copy(update={"replays": own}), run)
    effects = [sheet for title, sheet in drawn.items() if title.startswith("effect-")]
    if not effects:
        raise PostmortemError(f"{shown.rule}: no mechanism of {name} is judged in its example; give it another")
    return effects[0]


def example(name: str) -> Example:
    """The log that shows an experiment. PostmortemError if no rule's proof gives it a fix to judge."""
    for rule in _rules(name):
        for case in rule.tests.fires:
            hits = judged(rule, case.log).hits
            if fixes.plan(hits, []).by_rule:
                return Example(rule.id, case.log, causes.values_of(hits[0]))
    raise PostmortemError(f"no log of a rule's proof gives {name} a fix to judge; add one to a rule that names it")


def _rules(name: str) -> list[Rule]:
    return [rule for rule in load_folder(SHIPPED)[0] if rule.experiment == name]


def _kinds(mechanisms: Sequence[Mechanism[object]]) -> list[Kind]:
    kinds: dict[str, Kind] = {}
    for mechanism in mechanisms:
        what = (inspect.getdoc(type(mechanism)) or "").partition("\n")[0]
        kind = kinds.setdefault(mechanism.name, Kind(mechanism.name, mechanism.title, what, []))
        if mechanism.family is not None:
            kind.families.append(mechanism.family)
    return list(kinds.values())


def _excerpt(log: str) -> Safe:
    lines = log.splitlines()
    return Safe(escape.fence([*lines[:_ROOM], *(["..."] if len(lines) > _ROOM else [])]))


def _linked_rule(rule: str) -> Safe:
    return Safe(f"[{escape.code(rule)}](../rules/{rule}.md)")
