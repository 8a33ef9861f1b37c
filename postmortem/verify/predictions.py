"""The next run against an incident: each prediction held, broken or not seen; each fix connected or not."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from postmortem import __version__, analysis, fixes, incident_file, reach, reading
from postmortem.errors import PostmortemError
from postmortem.evidence import Lines
from postmortem.parsing.names import load as load_names
from postmortem.sources.stream import sha256
from postmortem.verify import seen, silence
from postmortem.verify.verification import Change, Checked, Turned, Verification, Verified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from postmortem.config import Config
    from postmortem.incident import Incident
    from postmortem.replay.protocol import Fix, Prediction, Value
    from postmortem.run import Run

#: Printed numbers are rounded, those of a bf16 tensor to 8 bits.
_ROUNDING: Final = 2**-8
#: What a fix has to move stayed when it changed by less: batches of one run differ by about as much.
_STAYED: Final = 0.1
#: A change was made where the log states its number to about two digits: 3.3e-4 is a third of 1e-3.
_AS_MADE: Final = 0.02
#: The same where it was allowed to stay: then only the same number again says that nothing acts on it.
_SAME: Final = 1e-4


def verify(
    logs: Sequence[str],
    against: str,
    *,
    applied: Sequence[str] = (),
    formats: Sequence[Path] = (),
    rule_folders: Sequence[Path] = (),
    configuration: Config | None = None,
) -> Verification:
    """Hold each log against the predictions of the incident in the file `against`.

    `applied` states fixes that were made and that a log does not tell, as `temperature=2`. `formats` are further
    dialects, `rule_folders` further rules; where a prediction is that a rule finds nothing, the log is judged as
    `analyze` would. PostmortemError for a file that cannot be read, and for an incident that predicts nothing.
    """
    incident = incident_file.read(against)
    if not incident.predictions:
        raise PostmortemError(
            f"{against}: this incident predicts nothing; what it asks to print next is under `measure_next`"
        )
    stated = {fix.knob: fix.new for fix in map(fixes.parse, applied)}
    means = _Means(formats, rule_folders, configuration)
    return Verification(
        tool_version=__version__,
        against=against,
        judged=[log.path for log in incident.logs],
        logs=[_verified(path, incident, stated, means) for path in logs],
    )


class _Means(NamedTuple):
    """With what a log is read and judged, beside what ships."""

    formats: Sequence[Path]
    rule_folders: Sequence[Path]
    configuration: Config | None

    def run(self, path: str, predictions: Sequence[Prediction]) -> tuple[Run, silence.Judged | None]:
        """The log, and what the rules say of it where that is asked."""
        if not any(prediction.silent for prediction in predictions):
            return reading.read(path, formats=self.formats), None
        incident, run = analysis.analyze(
            path,
            formats=self.formats,
            rule_folders=self.rule_folders,
            configuration=self.configuration,
            replay=False,
        )
        return run, silence.Judged(incident, self.rule_folders)


def _verified(path: str, incident: Incident, stated: Mapping[str, Value], means: _Means) -> Verified:
    run, judged = means.run(path, incident.predictions)
    settings, lines = {**_settings(run), **stated}, Lines(run)
    joined = lines.joined()
    checked = [
        judged.checked(prediction, joined)
        if prediction.silent and judged
        else _checked(prediction, joined, _open(prediction, incident.predictions, settings), lines)
        for prediction in incident.predictions
    ]
    digest = run.logs[0].sha256 or sha256(run.logs[0].path)
    turned = [_turned(fix, rules, settings, checked) for fix, rules in _judged(incident).items()]
    return Verified(
        path=path,
        sha256=digest,
        lines=sum(log.lines for log in run.logs),
        note="this is the log that the predictions come from"
        if digest in {log.sha256 for log in incident.logs}
        else "",
        predictions=checked,
        fixes=turned,
        also_changed=_changes(incident, run, {one.fix.knob for one in turned if one.made == "yes"}),
    )


def _settings(run: Run) -> dict[str, Value]:
    """By canonical key the value that is stated last; of a learning rate that is only printed, its peak."""
    frame = run.settings.sort("file", "line", "record")
    printed = run.metrics.filter(pl.col("name") == "lr", pl.col("value").is_finite())["value"].max()
    stated: dict[str, Value] = {"lr": printed} if isinstance(printed, float) else {}
    return stated | {
        key: fixes.value_of(value) for key, value in frame.select("key", "value").iter_rows() if value is not None
    }


def _judged(incident: Incident) -> dict[Fix, set[str]]:
    """The fixes that the incident judged, each change once, and the rules of the findings that they are for."""
    fixes_: dict[tuple[str, Value], Fix] = {}
    rules: dict[Fix, set[str]] = defaultdict(set)
    for verdict in incident.verdicts:
        fix = fixes_.setdefault((verdict.fix.knob, verdict.fix.new), verdict.fix)
        rules[fix].add(verdict.rule)
    return rules


def _open(prediction: Prediction, all_: Sequence[Prediction], settings: Mapping[str, Value]) -> str:
    """Why a prediction does not speak of this log: its change was not made, or nobody knows which one was."""
    fix = prediction.fix
    if fix is None:
        return ""
    if fix.knob in settings:
        now = settings[fix.knob]
        return "" if _made(now, fix) else f"it is for {fix.knob} = {_shown(fix.new)}, here it is {_shown(now)}"
    # one change alone is taken as made; of several any may have been
    if len({other.fix for other in all_ if other.fix is not None}) > 1:
        return f"the log does not state {fix.knob}, which it hangs on; --applied {fix.knob}=VALUE does"
    return ""


def _checked(prediction: Prediction, run: Run, open_: str, lines: Lines) -> Checked:
    values = seen.find(run, prediction)
    if open_ or not values.values or prediction.rows is None:
        return Checked(prediction=prediction, outcome="not_seen", because=open_ or values.missing)
    inside = [value for value in values.values if _inside(value.number, prediction)]
    must = prediction.rows.must
    if must in {"first", "last"}:
        deciding = values.values[0 if must == "first" else -1]
        held = _inside(deciding.number, prediction)
    elif must == "any":
        deciding = inside[0] if inside else values.values[-1]
        held = bool(inside)
    else:
        deciding = max(values.values, key=lambda value: _beyond(value.number, prediction))
        held = len(inside) == len(values.values)
    missing = values.missing or (reach.short(run, prediction.reaches) if prediction.reaches else "")
    # what comes later may still be as predicted, or no longer be so
    open_end = {"first": False, "last": True, "any": not held, "every": held and not values.missing}
    if missing and open_end[must]:
        return Checked(prediction=prediction, outcome="not_seen", because=missing)
    place = f" ({deciding.where})" if deciding.where else ""
    count = f" of {len(values.values):,} values, {len(inside):,} within" if must == "every" else ""
    return Checked(
        prediction=prediction,
        outcome="held" if held else "broken",
        because=f"{prediction.metric} is {_shown(deciding.number)}{place}{';' if count else ''}{count}",
        seen=deciding.number,
        evidence=list(lines.evidence([deciding.line]).values()),
    )


def _inside(number: float, prediction: Prediction) -> bool:
    return _beyond(number, prediction) <= 0


def _beyond(number: float, prediction: Prediction) -> float:
    """How far a number lies outside what was predicted, rounding allowed; below 0 inside. nan is outside of all."""
    if math.isnan(number):
        return math.inf
    low, high = prediction.low, prediction.high
    under = -math.inf if low is None else low - _ROUNDING * abs(low) - number
    over = -math.inf if high is None else number - high - _ROUNDING * abs(high)
    return max(under, over)


def _turned(fix: Fix, rules: set[str], settings: Mapping[str, Value], checked: Sequence[Checked]) -> Turned:
    if fix.knob not in settings:
        return Turned(fix=fix, made="not_stated", outcome="not_seen", because=f"the log does not state {fix.knob}")
    now = settings[fix.knob]
    if not _made(now, fix):
        return Turned(fix=fix, made="no", outcome="not_seen", because=f"{fix.knob} is {_shown(now)}")
    about = [one for one in checked if one.prediction.rule in rules and one.prediction.fix in {None, fix}]
    moves = [(one, moved) for one in about if (moved := _moved(one)) is not None]
    if not moves:
        return Turned(
            fix=fix,
            made="yes",
            outcome="not_seen",
            because="the log shows nothing that it must move and that was shown",
        )
    said = "; ".join(f"{one.prediction.metric} {_shown(one.prediction.was)} -> {_shown(one.seen)}" for one, _ in moves)
    if any(moved for _, moved in moves):
        return Turned(fix=fix, made="yes", outcome="acted", because=said)
    return Turned(
        fix=fix,
        made="yes",
        outcome="not_connected",
        because=f"{said}: it moved nothing that it must move (a default that a caller overrides, a cached build, an "
        "option that is never read)",
    )


def _moved(checked: Checked) -> bool | None:
    """Whether the quantity left what the judged log showed; None where either log does not show it."""
    was, now = checked.prediction.was, checked.seen
    if was is None or now is None:
        return None
    rows = checked.prediction.rows
    if rows is not None and rows.frame == "tensors":
        now = abs(now)  # `was` is a magnitude, and the sign of an extreme says only on which side it is
    least = _SAME if _inside(was, checked.prediction) else _STAYED
    return not (was == now or abs(now - was) <= least * abs(was))


def _changes(incident: Incident, run: Run, turned: set[str]) -> list[Change]:
    """Known settings that both logs state, and state differently."""
    names, now = load_names(), _settings(run)
    was = {setting.key: fixes.value_of(setting.value) for setting in incident.settings}
    return [
        Change(key=key, was=_shown(old), now=_shown(now[key]))
        for key, old in was.items()
        if key in now and key not in turned and names.setting(key) and not _same(old, now[key])
    ]


def _made(now: Value, fix: Fix) -> bool:
    """Whether what is stated now is what the fix asks for."""
    if isinstance(now, float) and isinstance(fix.new, float):
        return math.isclose(now, fix.new, rel_tol=_AS_MADE)
    return now == fix.new


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


def _shown(value: Value) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
