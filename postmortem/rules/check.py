"""Whether a rule does what it says: each of its logs is read and judged by that rule alone."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from postmortem.errors import PostmortemError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from postmortem.rules.engine import Outcome
    from postmortem.rules.rule import Rule

#: Where something stands in a rule's file.
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What does not hold: where it stands in the rule's file, what is wrong, and the log that shows it."""

    place: Place
    text: str
    log: str | None = None


def check(rule: Rule, known: Collection[str] | None = None, formats: Sequence[Path] = ()) -> list[Problem]:
    """All that does not hold of a rule. `known` are the ids that it may refer to; None asks for no such thing.

    `formats` are further dialects, or folders of them, that its logs are read with.
    """
    return [*_dangling(rule, known), *(problem for case in cases(rule) if (problem := _tried(rule, case, formats)))]


@dataclass(frozen=True, slots=True)
class Written:
    """A log of a rule's proof, the lines of evidence that it must give (none: it stays quiet), and where it stands."""

    place: Place
    log: str
    lines: tuple[int, ...] = ()


def cases(rule: Rule) -> list[Written]:
    """All logs of a rule's proof."""
    tests = rule.tests
    return [
        *(Written(("tests", "fires", i), case.log, tuple(case.lines)) for i, case in enumerate(tests.fires)),
        *(Written(("tests", "near", i), case.log) for i, case in enumerate(tests.near)),
        *(Written(("tests", "quiet", i), case.log) for i, case in enumerate(tests.quiet)),
    ]


def judged(rule: Rule, log: str, formats: Sequence[Path] = ()) -> Outcome:
    """What this rule alone says of a log. PostmortemError for a text that is no log of a training run."""
    from postmortem.reading import read
    from postmortem.rules.engine import Engine

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.log"
        path.write_text(log, encoding="utf-8")
        try:
            return Engine(read(path, formats=formats)).run([rule])
        except PostmortemError as error:
            raise PostmortemError(str(error).removeprefix(f"{path}: ")) from None


def _tried(rule: Rule, case: Written, formats: Sequence[Path]) -> Problem | None:
    try:
        outcome = judged(rule, case.log, formats)
    except PostmortemError as error:
        return Problem(case.place, str(error), case.log)
    if outcome.errors:
        return Problem(case.place, outcome.errors[0], case.log)
    fires, found = case.place[1] == "fires", sorted({line for hit in outcome.hits for line in hit.lines})
    if fires and not outcome.hits:
        why = f": {outcome.not_checked[0][1]}" if outcome.not_checked else ""
        return Problem(case.place, f"expected to fire on {_lines(case.lines)}, stays quiet{why}", case.log)
    if not fires and outcome.hits:
        message = rule.filled(rule.message, outcome.hits[0].rows[0])
        return Problem(case.place, f"expected to stay quiet, fires on {_lines(found)}: {message}", case.log)
    wrong = None
    if found != sorted(case.lines):
        wrong = f"expected evidence on {_lines(case.lines)}, found on {_lines(found)}"
    elif outcome.hits and (name := rule.untold(outcome.hits[0].rows[0])):
        wrong = f"message and next: {{{name}}} is no column of the query and no parameter"
    return Problem(case.place, wrong, case.log) if wrong else None


def _dangling(rule: Rule, known: Collection[str] | None) -> Iterator[Problem]:
    """References to rules that do not exist. That of an experiment is looked at when a rule is loaded."""
    if known is None:
        return
    for field, others in (("explains", rule.explains), ("weaker_than", rule.weaker_than), ("refutes", rule.refutes)):
        for i, other in enumerate(others):
            if other == rule.id or other not in known:
                what = "itself" if other == rule.id else f"no rule {other}{did_you_mean(other, known)}"
                yield Problem((field, i), f"{field}: {what}")


def _lines(lines: Sequence[int]) -> str:
    if not lines:
        return "no line"
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, sorted(lines)))}"
