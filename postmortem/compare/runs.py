"""Two runs or more beside each other: settings, metrics, tensors, findings, and what became of a stated change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postmortem import __version__, fixes, knobs
from postmortem.analysis import analyze
from postmortem.compare import changes
from postmortem.compare.comparison import Comparison, FindingChange, Pair, SettingChange, Side
from postmortem.compare.parting import partings
from postmortem.compare.reaches import reaches
from postmortem.errors import PostmortemError
from postmortem.report.numbers import figure
from postmortem.report.phrases import turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from postmortem.compare.comparison import FindingWord, Parting, StatedChange
    from postmortem.incident import Incident, Setting
    from postmortem.replay.protocol import Fix
    from postmortem.rules.finding import Finding
    from postmortem.run import Run


class Compared(NamedTuple):
    """A comparison, with the runs that it is of in the order of its sides."""

    comparison: Comparison
    runs: list[Run]


def compare(
    paths: Sequence[str],
    *,
    stated: Sequence[str] = (),
    rule_folders: Sequence[Path] = (),
    formats: Sequence[Path] = (),
) -> Compared:
    """Hold each run against the first. `stated` are changes as `eps=1e-8:1e-5`, from the first to each other one.

    Nothing is replayed. PostmortemError for fewer than two logs, one that cannot be read, or a change in another form.
    """
    if len(paths) < 2:  # noqa: PLR2004 - a comparison has two sides
        raise PostmortemError("compare: one log has nothing to be held against; name two or more")
    asked = [fixes.parse(option) for option in stated]
    judged = [analyze(path, rule_folders=rule_folders, formats=formats, replay=False) for path in paths]
    first, *others = judged
    comparison = Comparison(
        tool_version=__version__,
        sides=[
            Side(logs=incident.logs, jobs=incident.jobs, summary=incident.summary, root_causes=incident.root_causes)
            for incident, _ in judged
        ],
        pairs=[_pair(first, other, place, asked) for place, other in enumerate(others, start=1)],
    )
    return Compared(comparison, [run for _, run in judged])


def _pair(first: tuple[Incident, Run], other: tuple[Incident, Run], place: int, asked: Sequence[Fix]) -> Pair:
    before, after = (_settings(incident.settings) for incident, _ in (first, other))
    settings = _differences(before, after)
    differ = {each.key for each in settings if _both(each)}
    same = len(before.keys() & after.keys()) - len(differ)
    parts = partings(first[1], other[1], differ | {fix.knob for fix in asked})
    reached = reaches(first[1], other[1])
    findings = _findings(first[0], other[0])
    judged = [
        changes.judge(fix, (_value(before, fix.knob), _value(after, fix.knob)), settings, parts, reached)
        for fix in asked
    ]
    return Pair(
        before=0,
        after=place,
        summary=[_stated(settings, same), _parting(parts), _found(findings), *map(_change, judged)],
        settings=settings,
        same_settings=same,
        partings=parts,
        reaches=reached,
        findings=findings,
        changes=judged,
    )


def _settings(settings: Sequence[Setting]) -> dict[str, Setting]:
    """Each setting as it was last stated."""
    return {setting.key: setting for setting in settings}


def _value(settings: Mapping[str, Setting], key: str) -> str | None:
    return settings[key].value if key in settings else None


def _differences(before: Mapping[str, Setting], after: Mapping[str, Setting]) -> list[SettingChange]:
    """The settings that differ, those that both state first; 1e-5 and 0.00001 are the same."""
    names = knobs.load().names
    found = [
        SettingChange(
            key=key,
            before=one.value if one else None,
            after=other.value if other else None,
            before_line=one.line if one else None,
            after_line=other.line if other else None,
            cause=key not in names,
        )
        for key in dict.fromkeys([*before, *after])
        for one, other in [(before.get(key), after.get(key))]
        if one is None or other is None or fixes.value_of(one.value) != fixes.value_of(other.value)
    ]
    return sorted(found, key=lambda each: (not _both(each), not each.cause))


def _findings(before: Incident, after: Incident) -> list[FindingChange]:
    """What came, then what stayed, then what went; a rule that one log cannot feed says nothing of that log."""
    found = [{finding.rule: finding for finding in incident.findings} for incident in (before, after)]
    missing = [{item.rule: item.because for item in incident.not_checked} for incident in (before, after)]
    rows = []
    for rule in dict.fromkeys([*found[1], *found[0]]):
        one, other = found[0].get(rule), found[1].get(rule)
        # not where it was found, so at most one of the two cannot tell
        because = missing[0].get(rule, "") if one is None else missing[1].get(rule, "")
        word: FindingWord = "stayed" if one and other else "not_checked" if because else "went" if one else "came"
        told = other or one
        assert told is not None  # noqa: S101 - the rule comes from one of the two
        rows.append(_row(told, one, other, word, because))
    order: tuple[FindingWord, ...] = ("came", "stayed", "went", "not_checked")
    return sorted(rows, key=lambda row: order.index(row.change))


def _row(told: Finding, one: Finding | None, other: Finding | None, word: FindingWord, because: str) -> FindingChange:
    return FindingChange(
        rule=told.rule,
        title=told.title,
        severity=told.severity,
        change=word,
        before=one.message if one else None,
        after=other.message if other else None,
        because=because if word == "not_checked" else "",
    )


def _parting(parts: Sequence[Parting]) -> str:
    """Where the training first goes another way, in a sentence."""
    clock = knobs.load().clock
    computed = [each for each in parts if each.metric not in clock]
    if not any(each.shared for each in computed):
        return "The two logs print no metric at the same steps."
    parted = [each for each in computed if each.parts]
    stepped = [each for each in parted if each.step is not None]
    if stepped:
        first = min(stepped, key=lambda each: (each.epoch or 0.0, each.step or 0))
        epoch = "" if first.epoch is None else f" of epoch {figure(first.epoch)}"
        return f"The runs part first at step {figure(first.step)}{epoch}, in {first.metric}."
    if parted:
        return f"The runs part in {', '.join(dict.fromkeys(each.metric for each in parted))}."
    if all(each.parts is None for each in computed if each.shared):
        return "Whether the metrics part cannot be told: too few shared values."
    return "No metric parts beyond its batch noise."


def _found(findings: Sequence[FindingChange]) -> str:
    parts = []
    for word in ("came", "stayed", "went"):
        rules = [each.rule for each in findings if each.change == word and each.severity != "info"]
        if rules:
            parts.append(f"{', '.join(rules)} {word}")
    return f"Findings: {'; '.join(parts)}." if parts else "No finding of weight in either."


def _change(change: StatedChange) -> str:
    stayed = [name for name in change.should_move if name not in change.moved]
    words = {
        "acted": f"acted on {', '.join(change.moved)}",
        "confounded": f"cannot be told apart from {', '.join(change.others)}",
        "not_connected": f"is not connected: {', '.join(stayed)} stayed where it was",
        "not_established": "is not shown to have acted",
        "contradicted": "did not take place: a log states another value",
    }
    return f"The change {turn(change.fix)} {words[change.verdict]}."


def _stated(settings: Sequence[SettingChange], same: int) -> str:
    """Which settings differ, in a sentence."""
    causes = [f"{each.key} {each.before} -> {each.after}" for each in settings if each.cause and _both(each)]
    if causes:
        return f"Settings that differ: {', '.join(causes)}."
    if same:
        return f"None of the {figure(same)} settings differs that both logs state and that change what is computed."
    return "No setting is stated by both logs."


def _both(setting: SettingChange) -> bool:
    return setting.before is not None and setting.after is not None
