"""What the configuration makes of the rules: which of them are run, with which parameters, and what is ignored and why.

A name stands for a rule (`amp/scaler-startup`), a family (`amp`), or all rules that a pattern matches (`*/late-*`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from postmortem.errors import PostmortemError, did_you_mean
from postmortem.incident import Ignored, UnusedIgnore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from postmortem.config import Config, Ignore, Overrides
    from postmortem.rules.finding import Finding
    from postmortem.rules.rule import Param, Rule

NOT_SELECTED: Final = "not selected by the configuration"
#: A number, and behind it the unit that it is in.
_AMOUNT: Final = re.compile(r"\s*(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>.*?)\s*")
_STARS: Final = re.compile(r"\*\*/|\*\*|\*|\?")
_GLOBS: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(slots=True)
class Policy:
    """The rules to run, and what is said of the others and of their findings."""

    rules: list[Rule]
    not_checked: list[tuple[str, str]] = field(default_factory=list)  # rule id, reason
    ignores: dict[str, Ignore] = field(default_factory=dict)  # by the name that they are for

    def sift(
        self, findings: Sequence[Finding], today: date | None = None
    ) -> tuple[list[Finding], list[Ignored], list[UnusedIgnore]]:
        """The findings that count, those that are ignored, and the ignores that none of them needed.

        `today` decides whether an ignore still holds; without it the day is this one, in UTC.
        """
        today = today or datetime.now(UTC).date()
        over = {name for name, ignore in self.ignores.items() if ignore.until is not None and ignore.until < today}
        ignored, used = [], set()
        for finding in findings:
            for name, ignore in self.ignores.items():
                if name not in over and _matches(finding.rule, name):
                    until = ignore.until.isoformat() if ignore.until else None
                    ignored.append(Ignored(finding=finding, ignore=name, reason=ignore.reason, until=until))
                    used.add(name)
                    break
        known = {one.finding.rule for one in ignored}
        unused = [
            UnusedIgnore(ignore=name, reason=ignore.reason, because=self._why(name, ignore, ended=name in over))
            for name, ignore in self.ignores.items()
            if name not in used
        ]
        return [finding for finding in findings if finding.rule not in known], ignored, unused

    def ignored(self, rule: str, today: date | None = None) -> bool:
        """Whether what a rule finds is ignored."""
        today = today or datetime.now(UTC).date()
        return any(
            _matches(rule, name) and (ignore.until is None or ignore.until >= today)
            for name, ignore in self.ignores.items()
        )

    def _why(self, name: str, ignore: Ignore, *, ended: bool) -> str:
        if ended:
            return f"it ended on {ignore.until}"
        if not any(_matches(rule.id, name) for rule in self.rules):
            return "no rule that it names is selected"
        return "nothing that it names is found in this log"


def policy(rules: Sequence[Rule], configuration: Config, path: str | Sequence[Path]) -> Policy:
    """What a configuration makes of rules for a log. PostmortemError for a name or a parameter that does not exist."""
    ids = [rule.id for rule in rules]
    selected = set(ids)
    if configuration.select:
        selected = {rule for name in configuration.select for rule in _named(name, ids, configuration, "select")}
    ignores: dict[str, Ignore] = {}
    params: dict[str, dict[str, float]] = {}
    for overrides, place in _in_force(configuration, path):
        for name, ignore in overrides.ignore.items():
            _named(name, ids, configuration, f"{place}ignore")
            ignores[name] = ignore
        for name, values in overrides.params.items():
            _named(name, ids, configuration, f"{place}params", patterns=False)
            rule = rules[ids.index(name)]
            where = f"{configuration.where}{place}params.{name}"
            params.setdefault(name, {}).update(
                {param: _value(rule.params, param, value, where) for param, value in values.items()}
            )
    return Policy(
        rules=[_with(rule, params.get(rule.id, {})) for rule in rules if rule.id in selected],
        not_checked=[(rule, NOT_SELECTED) for rule in ids if rule not in selected],
        ignores=ignores,
    )


def _in_force(configuration: Config, path: str | Sequence[Path]) -> Iterator[tuple[Overrides, str]]:
    """What holds for every log, then what holds for this one, with the place of each in the file."""
    yield configuration, ""
    files = [Path(path)] if isinstance(path, str) else path
    for pattern, overrides in configuration.per_path.items():
        if files and all(_under(pattern, file, configuration.folder) for file in files):
            yield overrides, f"per-path.{pattern}."


def _under(pattern: str, file: Path, folder: Path) -> bool:
    """Whether a pattern matches a file's path below the configuration's folder; without a slash, its name."""
    if "/" not in pattern:
        return fnmatchcase(file.name, pattern)
    whole, begun = file.absolute(), folder.absolute()
    path = whole.relative_to(begun) if whole.is_relative_to(begun) else whole
    parts, at = [], 0
    for star in _STARS.finditer(pattern):
        parts += [re.escape(pattern[at : star.start()]), _GLOBS[star[0]]]
        at = star.end()
    return re.fullmatch("".join([*parts, re.escape(pattern[at:])]), path.as_posix(), re.DOTALL) is not None


def _named(
    name: str, ids: Sequence[str], configuration: Config, place: str, *, patterns: bool = True
) -> Collection[str]:
    """The rules that a name stands for. PostmortemError where there are none."""
    found = [rule for rule in ids if (_matches(rule, name) if patterns else rule == name)]
    if not found:
        families = {rule.partition("/")[0] for rule in ids} if patterns else set()
        raise PostmortemError(
            f"{configuration.where}{place}: {name}: no such rule{did_you_mean(name, [*ids, *families])}"
            " (`postmortem rules list` shows all)"
        )
    return found


def _matches(rule: str, name: str) -> bool:
    return name in {rule, rule.partition("/")[0]} or fnmatchcase(rule, name)


def _value(params: Mapping[str, Param], name: str, value: float | str, where: str) -> float:
    """The number that is given for a parameter. PostmortemError: no such one, another unit, or out of its bounds."""
    if name not in params:
        known = f"; it has {', '.join(params)}" if params else "; it has none"
        raise PostmortemError(f"{where}: {name}: no such parameter{did_you_mean(name, params) or known}")
    param = params[name]
    amount = _AMOUNT.fullmatch(str(value)) if isinstance(value, str) else None
    if isinstance(value, str):
        if amount is None:
            raise PostmortemError(f"{where}: {name}: {value!r} is no number; write {param.default:g} or the like")
        if amount["unit"] not in {"", param.unit}:
            raise PostmortemError(f"{where}: {name}: it is in {param.unit}, not in {amount['unit']}")
    try:
        number = float(amount["number"] if amount else value)
    except ValueError:
        number = math.nan
    low, high = param.bounds
    if not (math.isfinite(number) and low <= number <= high):
        raise PostmortemError(f"{where}: {name}: {value} is not within {low:g} and {high:g} {param.unit}")
    return number


def _with(rule: Rule, values: Mapping[str, float]) -> Rule:
    """The rule with these parameters, all else as it was."""
    if not values:
        return rule
    params = {name: rule.params[name].model_copy(update={"default": value}) for name, value in values.items()}
    return rule.model_copy(update={"params": rule.params | params})
